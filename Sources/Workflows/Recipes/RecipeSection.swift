/// A section of a recipe's `summary`: the part of the report that is made of the steps and files it names.
package enum RecipeSection: String, CaseIterable, Sendable {
  case about, data, crisp, split, finetune, plan

  /// Members whose values are text, paths, or names of sets.
  private var texts: [String] {
    switch self {
    case .about: ["title", "note", "command"]
    case .data: ["dataset", "tree", "tokenizer", "mixture", "order"]
    case .crisp: ["seed", "target", "general"]
    case .finetune: ["target", "source"]
    case .split, .plan: []
    }
  }

  /// Members whose values are steps; `points` takes several, separated by spaces.
  private var steps: [String] {
    switch self {
    case .about: []
    case .data: ["clusters"]
    case .crisp: ["base", "uniform", "specialist", "crisp"]
    case .split: ["split"]
    case .finetune: ["base", "direct", "anneal", "points"]
    case .plan: ["fit", "allocate"]
    }
  }

  /// The members with a meaning of their own.
  package var members: [String] { texts + steps }

  /// Whether every other member is the name of a method, with its step as the value.
  private var namesMethods: Bool { self == .crisp || self == .finetune }

  /// What is wrong with a member; nil if nothing is.
  /// - Parameter known: whether the recipe has a step.
  func problem(member: String, value: String?, isStep known: (String) -> Bool) -> String? {
    guard members.contains(member) || namesMethods else { return "unknown member \"\(member)\" of `summary.\(rawValue)`" }
    guard let value else { return "`summary.\(rawValue).\(member)` is not text" }
    if texts.contains(member) { return nil }
    let names = member == "points" ? value.split(separator: " ").map(String.init) : [value]
    return names.first { !known($0) }.map { "`summary.\(rawValue).\(member)` is \"\($0)\", but no step has this name" }
  }
}
