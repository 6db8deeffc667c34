/// A section of the page; nil bodies are sections that the run has no data for.
struct Section {
  /// The anchor, unique on the page.
  let id: String
  /// The heading.
  let title: String
  /// One or two sentences on what it is about.
  let lead: String
  /// Its figures and tables.
  let body: String

  /// Creates a section; nil where there is nothing to show.
  init?(_ id: String, _ title: String, lead: String, _ parts: [String?]) {
    let present = parts.compactMap { $0 }.filter { !$0.isEmpty }
    guard !present.isEmpty else { return nil }
    self.id = id
    self.title = title
    self.lead = lead
    body = present.joined(separator: "\n")
  }

  /// The markup.
  func markup(number: Int) -> String {
    """
    <section id="\(Escape.text(id))" aria-labelledby="\(Escape.text(id))-h">
    <div class="head"><h2 id="\(Escape.text(id))-h"><span class="no">\(number)</span>\(Escape.text(title))</h2>
    <p class="lead">\(Escape.text(lead))</p></div>
    \(body)
    </section>
    """
  }
}
