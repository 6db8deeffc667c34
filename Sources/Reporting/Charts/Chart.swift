/// A picture with a caption that states the result.
package protocol Chart {
  /// Unique on the page.
  var id: String { get }
  /// What the picture shows.
  var title: String { get }
  /// The caption, generated from the data.
  var sentence: String { get }
  /// The width on a page that is wide enough, in pixels.
  var width: Double { get }
  /// Draws the picture for a width: its own, or that of a phone.
  func draw(width: Double) -> SVG
}

extension Chart {
  package var width: Double { 960 }

  /// The picture as a wide page shows it.
  package func draw() -> SVG { draw(width: width) }

  /// The markup: title, picture and caption. The picture is there twice, and the style sheet shows the one that fits the screen: made smaller,
  /// its text could not be read.
  package var figure: String {
    """
    <figure><div class="figure-title">\(Escape.text(title))</div>
    <div class="frame wide">\(draw().markup(id: id, title: title, description: sentence))</div>
    <div class="frame slim">\(draw(width: SVG.slim).markup(id: "\(id)-slim", title: title, description: sentence))</div>
    <figcaption>\(Escape.text(sentence))</figcaption></figure>
    """
  }
}

extension String {
  /// A name with spaces: `near_duplicate` becomes `near duplicate`. The name of a rule stays, because it is also that of the rule's threshold.
  var spaced: String { contains(".") ? self : String(map { $0 == "_" ? " " : $0 }) }
}
