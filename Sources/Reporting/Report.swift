/// The report of a recipe run: one HTML page without scripts, fonts or network access.
package enum Report {
  /// How every report begins.
  package static let opening = "<!DOCTYPE html>\n<html lang=\"en\">\n"

  /// Renders a run. Sections without results are left out, and listed at the end.
  /// - Returns: the page, well-formed as HTML and as XML.
  package static func html(_ summary: RunSummary) -> String {
    let candidates: [(name: String, section: Section?)] = [
      ("results", Headline.section(summary)), ("data flow", DataSections.flow(summary)), ("clusters", DataSections.clusters(summary)),
      ("mixture", DataSections.mixture(summary)), ("train it elsewhere", ElsewhereSection.section(summary)),
      ("training", ModelSections.training(summary)),
      ("specialization by sampling", ModelSections.crisp(summary)), ("split", ModelSections.split(summary)),
      ("finetuning", ModelSections.finetune(summary)), ("scaling law", PlanSection.section(summary)),
      ("provenance", ProvenanceSection.section(summary)),
    ]
    let sections = candidates.compactMap(\.section)
    let missing = candidates.filter { $0.section == nil }.map(\.name)
    let title = summary.title ?? "Weir run"
    let links = sections.map { "<a href=\"#\(Escape.text($0.id))\">\(Escape.text($0.title))</a>" }.joined(separator: "\n")
    let body = sections.enumerated().map { $0.element.markup(number: $0.offset + 1) }.joined(separator: "\n")
    // A report of one artifact has only what is there.
    let absent =
      missing.isEmpty || summary.provenance.recipe.isEmpty
      ? "" : "<p>Not part of this run: \(Escape.text(missing.joined(separator: ", "))).</p>"
    return """
      \(opening)<head>
      <meta charset="utf-8"/>
      <meta name="viewport" content="width=device-width, initial-scale=1"/>
      <meta name="color-scheme" content="light dark"/>
      <title>\(Escape.text(title))</title>
      <style>
      \(Stylesheet.text)
      </style>
      </head>
      <body>
      <header>
      <h1>\(Escape.text(title))</h1>
      \(summary.note.map { "<p>\(Escape.text($0))</p>" } ?? "")
      \(meta(summary))
      \(sections.count > 1 ? "<nav aria-label=\"Sections\">\n\(links)\n</nav>" : "")
      </header>
      <main>
      \(body)
      </main>
      <footer>
      \(absent)
      <p>Perplexity is e to the power of the mean loss in nats/token. D′ is the number of specialization tokens per domain.</p>
      </footer>
      </body>
      </html>

      """
  }

  /// The line below the title.
  private static func meta(_ summary: RunSummary) -> String {
    let seconds = summary.steps.reduce(0) { $0 + ($1.seconds.positive ?? 0) }
    let parts = [
      summary.dataset.map { "\(Number.compact($0.tokens)) tokens" },
      summary.training.isEmpty ? nil : Number.count(summary.training.count, "training run"),
      seconds > 0 ? "\(Number.seconds(seconds)) in total" : nil,
      summary.training.isEmpty && summary.steps.isEmpty ? nil : Number.count(summary.machine.cores, "core"),
    ].compactMap { $0 }
    return "<p class=\"meta\">\(Escape.text(parts.joined(separator: " · ")))</p>"
  }
}
