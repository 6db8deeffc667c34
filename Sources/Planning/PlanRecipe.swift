import Primitives

/// Writes an allocation as a recipe for `weir run`. Its one step is `weir split` or, where a general model is the better use of the budget,
/// `weir train`.
package struct PlanRecipe: Sendable, Equatable {
  /// The folder of the token dataset.
  package var dataset: String
  /// The folder of the cluster tree.
  package var tree: String
  /// The folder of the run, which the models are written to.
  package var run: String

  package init(dataset: String, tree: String, run: String) {
    self.dataset = dataset
    self.tree = tree
    self.run = run
  }

  /// The command line, without `weir`.
  /// - Throws: `WeirError` for a split with independent trunks, which `weir split` does not train.
  package func command(_ allocation: Allocation) throws -> String {
    let splits = allocation.recommended == "split"
    guard !splits || allocation.request.trunk == .shared else {
      throw WeirError("trunk", "is independent, but `weir split` trains a shared trunk", remedy: "plan with a shared trunk")
    }
    var words = splits ? ["split", dataset, "--tree", tree, "-o", "{run}/split"] : ["train", dataset, "-o", "{run}/full"]
    if splits {
      let branches = allocation.split.dPrime
      let equal = branches.allSatisfy { $0 == branches.first }
      words += ["--trunk-tokens", String(allocation.split.d)]
      words += ["--branch-tokens", equal ? String(branches.first ?? 0) : branches.map(String.init).joined(separator: ",")]
    } else {
      words += ["--tokens", String(allocation.full.d)]
    }
    let size = splits ? allocation.size : allocation.fullSize
    let shape = size.width != nil && size.layers != nil ? size : ModelSize.near(size.parameters)
    if let width = shape.width { words += ["--width", String(width)] }
    if let layers = shape.layers { words += ["--layers", String(layers)] }
    return words.map(Self.word).joined(separator: " ")
  }

  /// The text of the recipe.
  package func yaml(_ allocation: Allocation) throws -> String {
    let splits = allocation.recommended == "split"
    let count = allocation.request.domains.count
    let says =
      splits
      ? "Train a trunk for \(allocation.split.d) tokens and \(count) specialized models for \(allocation.split.dPrimeTotal) tokens in total."
      : "Train one general model for \(allocation.full.d) tokens; no split of this budget has a lower predicted loss."
    var lines = [
      "# Planned by law \(allocation.law) for \(allocation.request.budget) FLOPs and \(count) domains.",
      "# Predicted loss in nats/token: split \(Self.text(allocation.split.loss)), general model of the same compute"
        + " \(Self.text(allocation.full.loss)).",
    ]
    lines += allocation.notes.map { "# Note: \(String($0.map { $0.isNewline ? " " : $0 }))." }
    lines += ["run: \(Self.scalar(run))", "steps:", "  - name: \(splits ? "split" : "train")", "    says: \(Self.scalar(says))"]
    lines += ["    do: \(Self.scalar(try command(allocation)))"]
    return lines.joined(separator: "\n") + "\n"
  }

  private static func text(_ interval: Allocation.Interval) -> String {
    func short(_ value: Double) -> String { "\((value * 1e4).rounded() / 1e4)" }
    guard let low = interval.low, let high = interval.high else { return short(interval.value) }
    return "\(short(interval.value)) (\(short(low)) to \(short(high)))"
  }

  /// A word of a command line in a recipe, quoted where it contains spaces or quotes; recipes have no backslash escapes.
  private static func word(_ text: String) -> String {
    guard text.isEmpty || text.contains(where: { $0.isWhitespace || $0 == "'" || $0 == "\"" }) else { return text }
    guard text.contains("'") else { return "'\(text)'" }
    return text.split(separator: "'", omittingEmptySubsequences: false).map { $0.isEmpty ? "" : "'\($0)'" }.joined(separator: "\"'\"")
  }

  /// A double-quoted YAML scalar.
  private static func scalar(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\t": result += "\\t"
      case "\r": result += "\\r"
      default:
        if scalar.value < 32 || scalar.value == 127 {
          result += "\\x" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
        } else {
          result.unicodeScalars.append(scalar)
        }
      }
    }
    return result + "\""
  }
}
