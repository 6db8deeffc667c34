/// A section of the page.
struct Section {
  /// The anchor, unique on the page.
  let id: String
  let title: String
  /// One or two sentences on what the section shows.
  let lead: String
  /// Figures and tables.
  let body: String

  /// Nil if all parts are nil or empty.
  init?(_ id: String, _ title: String, lead: String, _ parts: [String?]) {
    let present = parts.compactMap { $0 }.filter { !$0.isEmpty }
    guard !present.isEmpty else { return nil }
    self.id = id
    self.title = title
    self.lead = lead
    body = present.joined(separator: "\n")
  }

  func markup(number: Int) -> String {
    """
    <section id="\(Escape.text(id))" aria-labelledby="\(Escape.text(id))-h">
    <div class="head"><h2 id="\(Escape.text(id))-h"><span class="no">\(number)</span>\(Escape.text(title))</h2>
    \(lead.isEmpty ? "" : "<p class=\"lead\">\(Escape.text(lead))</p>")</div>
    \(body)
    </section>
    """
  }
}
