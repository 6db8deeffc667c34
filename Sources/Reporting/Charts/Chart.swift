/// A picture with the one sentence that says what one sees in it.
package protocol Chart {
  /// Unique on the page.
  var id: String { get }
  /// What the picture shows.
  var title: String { get }
  /// What one sees, computed from the data.
  var sentence: String { get }
  /// Draws the picture.
  func draw() -> SVG
}

extension Chart {
  /// The figure: title, picture, sentence.
  package var figure: String {
    let picture = draw()
    var markup = picture.markup(id: id, title: title, description: sentence)
    // How far it may shrink on a narrow screen before it scrolls instead.
    let shrink = picture.width > 800 ? "wide" : picture.width > 600 ? "middle" : ""
    if !shrink.isEmpty { markup = markup.replacingFirst("<svg ", with: "<svg class=\"\(shrink)\" ") }
    return """
      <figure><div class="figure-title">\(Escape.text(title))</div>
      <div class="frame">\(markup)</div>
      <figcaption>\(Escape.text(sentence))</figcaption></figure>
      """
  }
}

extension String {
  /// The text with its first occurrence of a part replaced, where it stands at the start.
  fileprivate func replacingFirst(_ part: String, with other: String) -> String {
    hasPrefix(part) ? other + dropFirst(part.count) : self
  }

  /// A name as people write it: `near_duplicate` becomes `near duplicate`.
  var spoken: String { String(map { $0 == "_" ? " " : $0 }) }
}
