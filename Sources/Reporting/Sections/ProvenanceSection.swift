/// What it takes to reproduce the run.
enum ProvenanceSection {
  static func section(_ summary: RunSummary) -> Section? {
    let provenance = summary.provenance
    var fingerprints = provenance.fingerprints
    if let dataset = summary.dataset {
      fingerprints["dataset", default: dataset.fingerprint] = dataset.fingerprint
      fingerprints["tokenizer", default: dataset.tokenizer] = dataset.tokenizer
    }
    return Section(
      "provenance", "Provenance", lead: "The same inputs, configuration and random seeds give the same bytes, with any number of threads.",
      [steps(summary.steps), machine(summary.machine), facts(fingerprints, provenance), reproduction(provenance)])
  }

  private static func steps(_ steps: [RunSummary.Step]) -> String? {
    guard !steps.isEmpty else { return nil }
    let total = steps.reduce(0) { $0 + ($1.seconds.positive ?? 0) }
    var table = Table("Steps", [.text("Step"), .text("Purpose"), .number("Time"), .number("Share of time"), .number("Output")])
    for step in steps {
      table.add([
        step.name, step.says, Number.seconds(step.seconds), total > 0 ? Number.percent(step.seconds / total) : "", Number.bytes(step.bytes),
      ])
    }
    table.add(["total", "", Number.seconds(total), "", Number.bytes(steps.reduce(0) { $0 + $1.bytes })], style: "strong")
    return table.markup
  }

  private static func machine(_ machine: Machine) -> String {
    let parts = [machine.processor, Number.count(machine.cores, "core"), "\(Number.bytes(machine.memory)) of memory", machine.system]
      .compactMap { $0 }
    return "<p>\(Escape.text("The report was made on: \(parts.joined(separator: ", "))."))</p>"
  }

  private static func facts(_ fingerprints: [String: String], _ provenance: RunSummary.Provenance) -> String {
    var table = Table("Fingerprints, random seeds and version", [.text("Kind"), .text("Of"), .text("Value")])
    table.add(["version", "weir", provenance.version])
    for (step, seed) in provenance.randomSeeds.sorted(by: { $0.key < $1.key }) { table.add(["random seed", step, String(seed)]) }
    for (path, value) in fingerprints.sorted(by: { $0.key < $1.key }) { table.add(["fingerprint", path, value]) }
    return table.folded(above: 12)
  }

  private static func reproduction(_ provenance: RunSummary.Provenance) -> String {
    guard !provenance.recipe.isEmpty else { return "" }
    let command = provenance.command.map { "<h3>To reproduce</h3>\n<pre>\(Escape.text($0))</pre>\n" } ?? ""
    return command + "<details><summary>Recipe</summary>\n<pre>\(Escape.text(provenance.recipe))</pre>\n</details>"
  }
}
