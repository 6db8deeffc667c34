/// Where the numbers come from and how to make them again.
enum ProvenanceSection {
  /// The section; nil where nothing is known.
  static func section(_ summary: RunSummary) -> Section? {
    let provenance = summary.provenance
    var prints = provenance?.fingerprints ?? [:]
    if let print = summary.dataset?.fingerprint, prints["dataset"] == nil { prints["dataset"] = print }
    if let print = summary.tokenizer?.fingerprint, prints["tokenizer"] == nil { prints["tokenizer"] = print }
    let seeds = (provenance?.seeds ?? [:]).mapValues { String($0) }
    return Section(
      "provenance", "Where this comes from",
      lead: "The same inputs, configuration and seed give the same bytes, whatever the number of threads.",
      [
        steps(summary.steps ?? []), machine(summary.machine),
        facts([("fingerprint", prints), ("seed", seeds), ("version", provenance?.versions ?? [:])]), again(provenance),
      ])
  }

  private static func steps(_ steps: [RunSummary.Step]) -> String? {
    guard !steps.isEmpty else { return nil }
    let total = steps.reduce(0) { $0 + ($1.seconds.positive ?? 0) }
    var table = Table(
      "The steps of the run", [.text("Step"), .text("Why"), .text("State"), .number("Time"), .number("Share"), .number("Output")])
    for step in steps {
      table.add([
        step.name ?? "", step.why ?? "", step.state ?? "", Number.seconds(step.seconds),
        total > 0 ? Number.percent(step.seconds.finite.map { $0 / total }) : "", Number.bytes(step.bytes),
      ])
    }
    table.add(["all", "", "", Number.seconds(total), "", Number.bytes(steps.reduce(0) { $0 + ($1.bytes.positive ?? 0) })], style: "strong")
    return table.markup
  }

  private static func machine(_ machine: RunSummary.Machine?) -> String? {
    guard let machine else { return nil }
    let parts = [
      machine.processor, machine.cores.map { Number.count($0, "core") }, machine.memoryBytes.finite.map { "\(Number.bytes($0)) of memory" },
      machine.system,
    ].compactMap { $0 }
    return parts.isEmpty ? nil : "<p>\(Escape.text("Made on " + parts.joined(separator: ", ") + "."))</p>"
  }

  private static func facts(_ groups: [(kind: String, values: [String: String])]) -> String? {
    var table = Table("Fingerprints, seeds and versions", [.text("What"), .text("Of"), .text("Value")])
    for group in groups {
      for (name, value) in group.values.sorted(by: { $0.key < $1.key }) { table.add([group.kind, name.spoken, value]) }
    }
    return table.rowCount > 0 ? table.folded(above: 20) : nil
  }

  private static func again(_ provenance: RunSummary.Provenance?) -> String? {
    var parts: [String] = []
    if let command = provenance?.command { parts.append("<h3>How to make it again</h3>\n<pre>\(Escape.text(command))</pre>") }
    if let recipe = provenance?.recipe {
      parts.append("<details><summary>The recipe</summary>\n<pre>\(Escape.text(recipe))</pre>\n</details>")
    }
    return parts.isEmpty ? nil : parts.joined(separator: "\n")
  }
}
