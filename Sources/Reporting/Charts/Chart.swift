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
    """
    <figure><div class="figure-title">\(Escape.text(title))</div>
    <div class="frame">\(draw().markup(id: id, title: title, description: sentence))</div>
    <figcaption>\(Escape.text(sentence))</figcaption></figure>
    """
  }
}

extension String {
  /// A name with spaces: `near_duplicate` becomes `near duplicate`.
  var spaced: String { String(map { $0 == "_" ? " " : $0 }) }
}
