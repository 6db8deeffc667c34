/// A picture with a caption that states the result.
package protocol Chart {
  /// Unique on the page.
  var id: String { get }
  /// What the picture shows.
  var title: String { get }
  /// The caption, generated from the data.
  var sentence: String { get }
  func draw() -> SVG
}

extension Chart {
  /// The markup: title, picture and caption.
  package var figure: String {
    let picture = draw()
    var markup = picture.markup(id: id, title: title, description: sentence)
    // The class sets the width below which the picture scrolls instead of shrinking.
    let shrink = picture.width > 800 ? "wide" : picture.width > 600 ? "middle" : ""
    if !shrink.isEmpty { markup = markup.replacingPrefix("<svg ", with: "<svg class=\"\(shrink)\" ") }
    return """
      <figure><div class="figure-title">\(Escape.text(title))</div>
      <div class="frame">\(markup)</div>
      <figcaption>\(Escape.text(sentence))</figcaption></figure>
      """
  }
}

extension String {
  /// The text with a prefix replaced, if it has it.
  fileprivate func replacingPrefix(_ part: String, with other: String) -> String {
    hasPrefix(part) ? other + dropFirst(part.count) : self
  }

  /// A name with spaces: `near_duplicate` becomes `near duplicate`.
  var spaced: String { String(map { $0 == "_" ? " " : $0 }) }
}
