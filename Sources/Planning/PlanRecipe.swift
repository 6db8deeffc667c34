import Primitives

/// An allocation as a recipe that `weir run` executes: one step, `weir split` with the planned tokens, or `weir train` where one
/// general model is the better use of the budget.
package struct PlanRecipe: Sendable, Equatable {
  /// The token dataset.
  package var dataset: String
  /// The cluster tree.
  package var tree: String
  /// The folder of the run; the models go to a folder in it.
  package var run: String
  /// Further options of the command, by name without dashes; the allocation's own win.
  package var options: [String: String]

  /// Creates a recipe.
  package init(dataset: String, tree: String, run: String, options: [String: String] = [:]) {
    self.dataset = dataset
    self.tree = tree
    self.run = run
    self.options = options
  }

  /// The options that carry the allocation, in order, without dashes. Of `weir split`: the tokens of the trunk and of the
  /// branches (one number where they are equal, else one a domain with commas) and the shape.
  package static func options(_ allocation: Allocation) -> [(name: String, value: String)] {
    let splits = allocation.recommended == "split"
    let size = splits ? allocation.size : allocation.fullSize
    let shape = size.width != nil && size.layers != nil ? size : ModelSize.near(size.parameters)
    var result: [(name: String, value: String)] = []
    if splits {
      let branches = allocation.split.dPrime
      let equal = branches.allSatisfy { $0 == branches.first }
      result.append(("trunk-tokens", String(allocation.split.d)))
      result.append(("branch-tokens", equal ? String(branches.first ?? 0) : branches.map(String.init).joined(separator: ",")))
      if allocation.request.trunk == .independent { result.append(("trunk", allocation.request.trunk.rawValue)) }
    } else {
      result.append(("tokens", String(allocation.full.d)))
    }
    if let width = shape.width { result.append(("width", String(width))) }
    if let layers = shape.layers { result.append(("layers", String(layers))) }
    return result
  }

  /// The command line, without `weir`.
  package func command(_ allocation: Allocation) -> String {
    let splits = allocation.recommended == "split"
    let planned = Self.options(allocation)
    let taken = Set(planned.map(\.name) + ["tree", "o", "output"])
    let further = options.keys.sorted().filter { !taken.contains($0) }.map { (name: $0, value: options[$0] ?? "") }
    var words = splits ? ["split", dataset, "--tree", tree, "-o", "{run}/split"] : ["train", dataset, "-o", "{run}/full"]
    for option in planned + further { words += ["--" + option.name, option.value] }
    return words.map(Self.word).joined(separator: " ")
  }

  /// The recipe's text.
  package func yaml(_ allocation: Allocation) -> String {
    let splits = allocation.recommended == "split"
    let count = allocation.request.domains.count
    let says =
      splits
      ? "Train a trunk for \(allocation.split.d) tokens and \(count) specialised models for \(allocation.split.dPrimeTotal) in all."
      : "Train one general model for \(allocation.full.d) tokens: no split of this budget is predicted to do better."
    var lines = [
      "# Planned by law \(allocation.law) for \(allocation.request.budget) FLOPs and \(count) domains.",
      "# Predicted loss of the split \(Self.text(allocation.split.loss)) nats a token; of one general model of the same compute"
        + " \(Self.text(allocation.full.loss)).",
    ]
    lines += allocation.notes.map { "# Note: \(String($0.map { $0.isNewline ? " " : $0 }))." }
    lines += ["run: \(Self.scalar(run))", "steps:", "  - name: \(splits ? "split" : "train")", "    says: \(Self.scalar(says))"]
    lines += ["    do: \(Self.scalar(command(allocation)))"]
    return lines.joined(separator: "\n") + "\n"
  }

  private static func text(_ interval: Allocation.Interval) -> String {
    func short(_ value: Double) -> String { "\((value * 1e4).rounded() / 1e4)" }
    guard let low = interval.low, let high = interval.high else { return short(interval.value) }
    return "\(short(interval.value)) (\(short(low)) to \(short(high)))"
  }

  /// A word of a recipe's command line: quoted where it has blanks or quotes, which know no escapes there.
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
