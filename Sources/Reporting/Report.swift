/// The report of a run: one HTML page that needs nothing else, no network, no scripts, no fonts.
package enum Report {
  /// The colours of the page.
  package enum Theme: String, Sendable, CaseIterable {
    /// What the reader's system prefers.
    case automatic
    /// Dark ink on a light page.
    case light
    /// Light ink on a dark page.
    case dark
  }

  /// Renders a run's summary; what the run has no data for is left out and named at the end.
  /// - Parameters:
  ///   - summary: the run.
  ///   - theme: `automatic`, or forced.
  /// - Returns: the page, well-formed as HTML and as XML.
  /// - Complexity: O(size of the summary).
  package static func html(_ summary: RunSummary, theme: Theme = .automatic) -> String {
    let candidates: [(name: String, section: Section?)] = [
      ("results", Headline.section(summary)), ("accounts", DataSections.accounts(summary)),
      ("clusters", DataSections.clusters(summary)),
      ("mixture", DataSections.mixture(summary)), ("training", ModelSections.training(summary)), ("CRISP", ModelSections.crisp(summary)),
      ("split", ModelSections.split(summary)), ("finetuning", ModelSections.finetune(summary)), ("plan", PlanSection.section(summary)),
      ("provenance", ProvenanceSection.section(summary)),
    ]
    let sections = candidates.compactMap(\.section)
    let missing = candidates.filter { $0.section == nil }.map(\.name)
    let title = summary.title ?? "Weir run"
    let links = sections.map { "<a href=\"#\(Escape.text($0.id))\">\(Escape.text($0.title))</a>" }.joined(separator: "\n")
    let body = sections.enumerated().map { $0.element.markup(number: $0.offset + 1) }.joined(separator: "\n")
    let absent = missing.isEmpty ? "" : "<p>Not in this run: \(Escape.text(missing.joined(separator: ", "))).</p>"
    let hook = theme == .automatic ? "" : " data-theme=\"\(theme.rawValue)\""
    return """
      <!DOCTYPE html>
      <html lang="en"\(hook)>
      <head>
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
      \(sections.isEmpty ? "<section><p>This run has no results yet.</p></section>" : body)
      </main>
      <footer>
      \(absent)
      <p>Perplexity is the exponential of the mean loss in nats a token; lower is better. D′ are the specialisation tokens of one domain.</p>
      </footer>
      </body>
      </html>

      """
  }

  /// The line under the title: when, how much, how long.
  private static func meta(_ summary: RunSummary) -> String {
    let seconds = (summary.steps ?? []).compactMap { $0.seconds.positive }.reduce(0, +)
    let parts = [
      summary.finished, summary.dataset?.tokens.positive.map { "\(Number.compact($0)) tokens" },
      summary.training.flatMap { $0.isEmpty ? nil : Number.count($0.count, "training run") },
      seconds > 0 ? "\(Number.seconds(seconds)) in all" : nil,
      summary.machine?.cores.map { Number.count($0, "core") },
    ].compactMap { $0 }
    return parts.isEmpty ? "" : "<p class=\"meta\">\(Escape.text(parts.joined(separator: " · ")))</p>"
  }
}
