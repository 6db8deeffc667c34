import Primitives

/// An allocation as a recipe that `weir run` executes.
public struct PlanRecipe: Sendable, Equatable {
  /// The token dataset.
  public var dataset: String
  /// The cluster tree.
  public var tree: String
  /// Where the models go.
  public var output: String
  /// Further options of the command, by name without dashes.
  public var options: [String: String]

  /// Creates a recipe.
  public init(dataset: String, tree: String, output: String, options: [String: String] = [:]) {
    self.dataset = dataset
    self.tree = tree
    self.output = output
    self.options = options
  }

  /// The options that carry the allocation, in order: of `weir split` one number for branches of equal length, else one a
  /// domain; of `weir train` where one general model is the better use of the budget.
  public static func arguments(_ allocation: Allocation) -> [(name: String, value: String)] {
    let splits = allocation.recommended == "split"
    let size = splits ? allocation.size : allocation.fullSize
    let shape = size.width != nil && size.layers != nil ? size : ModelSize.near(size.parameters)
    let branches = allocation.split.dPrime
    let equal = branches.allSatisfy { $0 == branches.first }
    var result =
      splits
      ? [
        ("trunk", allocation.request.trunk.rawValue),
        ("trunk-tokens", String(allocation.split.d)),
        ("branch-tokens", equal ? String(branches.first ?? 0) : branches.map(String.init).joined(separator: ",")),
      ] : [("tokens", String(allocation.full.d))]
    if let width = shape.width { result.append(("width", String(width))) }
    if let layers = shape.layers { result.append(("layers", String(layers))) }
    return result
  }

  /// The recipe's text.
  public func yaml(_ allocation: Allocation) -> String {
    let loss = allocation.split.loss
    let splits = allocation.recommended == "split"
    var lines = [
      "# Planned by law \(allocation.law) for \(allocation.request.budget) FLOPs and \(allocation.request.domains.count) domains.",
      "# Predicted loss of the split \(Self.text(loss)) nats a token; of one general model of the same compute \(Self.text(allocation.full.loss)).",
    ]
    lines += allocation.notes.map { "# Note: \(Self.oneLine($0))." }
    lines += ["steps:", "  - command: \(splits ? "split" : "train")", "    arguments:", "      - \(Self.quoted(dataset))", "    options:"]
    if splits { lines.append("      tree: \(Self.quoted(tree))") }
    lines.append("      output: \(Self.quoted(output))")
    let planned = Self.arguments(allocation)
    lines += planned.map { "      \($0.name): \(Int($0.value) == nil ? Self.quoted($0.value) : $0.value)" }
    let taken = Set(planned.map(\.name) + ["tree", "output"])
    lines += options.keys.sorted().filter { !taken.contains($0) }.map { "      \(Self.quoted($0)): \(Self.quoted(options[$0] ?? ""))" }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func text(_ interval: Allocation.Interval) -> String {
    func short(_ value: Double) -> String { "\((value * 1e4).rounded() / 1e4)" }
    guard let low = interval.low, let high = interval.high else { return short(interval.value) }
    return "\(short(interval.value)) (\(short(low)) to \(short(high)))"
  }

  private static func oneLine(_ text: String) -> String { String(text.map { $0.isNewline ? " " : $0 }) }

  /// A double-quoted YAML scalar.
  private static func quoted(_ text: String) -> String {
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
          let hex = String(scalar.value, radix: 16)
          result += "\\x" + (hex.count == 1 ? "0" : "") + hex
        } else {
          result.unicodeScalars.append(scalar)
        }
      }
    }
    return result + "\""
  }
}
