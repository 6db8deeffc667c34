/// Builds inline SVG. Colors and fonts are classes of the style sheet, so that a picture works on light, dark and paper. Text is escaped;
/// coordinates that are NaN or infinite become 0.
package struct SVG {
  /// The alignment of a text to its point.
  package enum Anchor: String { case start, middle, end }

  /// The shape of a mark; series differ by shape as well as by color.
  package enum Shape: Sendable { case circle, square, diamond, triangle }

  /// The size of the view box, and the largest size on the page, in pixels.
  package let width: Double, height: Double
  private var body = ""

  package init(width: Double, height: Double) {
    self.width = width
    self.height = height
  }

  package mutating func rectangle(_ x: Double, _ y: Double, _ width: Double, _ height: Double, _ style: String, tip: String? = nil) {
    element(
      "rect", "x=\"\(Self.text(x))\" y=\"\(Self.text(y))\" width=\"\(Self.text(max(width, 0)))\" height=\"\(Self.text(max(height, 0)))\"",
      style, tip)
  }

  package mutating func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ style: String) {
    element("line", "x1=\"\(Self.text(x1))\" y1=\"\(Self.text(y1))\" x2=\"\(Self.text(x2))\" y2=\"\(Self.text(y2))\"", style, nil)
  }

  /// A line through points; nothing for fewer than two points.
  package mutating func path(_ points: [(x: Double, y: Double)], _ style: String, closed: Bool = false, tip: String? = nil) {
    guard points.count > 1 else { return }
    var data = ""
    for (index, point) in points.enumerated() { data += "\(index == 0 ? "M" : "L")\(Self.text(point.x)) \(Self.text(point.y))" }
    element("path", "d=\"\(data)\(closed ? "Z" : "")\"", style, tip)
  }

  package mutating func mark(_ shape: Shape, _ x: Double, _ y: Double, _ size: Double, _ style: String, tip: String? = nil) {
    let half = size / 2
    switch shape {
    case .circle: element("circle", "cx=\"\(Self.text(x))\" cy=\"\(Self.text(y))\" r=\"\(Self.text(half))\"", style, tip)
    case .square: rectangle(x - half * 0.9, y - half * 0.9, size * 0.9, size * 0.9, style, tip: tip)
    case .diamond:
      let reach = half * 1.25
      path([(x, y - reach), (x + reach, y), (x, y + reach), (x - reach, y)], style, closed: true, tip: tip)
    case .triangle:
      let reach = half * 1.2
      path([(x, y - reach), (x + reach, y + reach * 0.8), (x - reach, y + reach * 0.8)], style, closed: true, tip: tip)
    }
  }

  package mutating func text(_ x: Double, _ y: Double, _ content: String, _ style: String = "", anchor: Anchor = .start) {
    guard !content.isEmpty else { return }
    let place = anchor == .start ? "" : " text-anchor=\"\(anchor.rawValue)\""
    body += "<text x=\"\(Self.text(x))\" y=\"\(Self.text(y))\"\(Self.styled(style))\(place)>\(Escape.text(content))</text>\n"
  }

  /// The width of a picture on a phone.
  package static let slim = 358.0
  /// Whether the picture is one for a phone.
  var isSlim: Bool { width < 420 }

  /// Rows of marks with their names: a new row where the next one does not fit.
  /// - Returns: the baseline of the last row.
  @discardableResult
  mutating func legend(_ entries: [(shape: Shape, style: String, name: String)], x start: Double, y: Double) -> Double {
    var (x, y) = (start, y)
    for entry in entries {
      let size = 17 + TextMetrics.width(entry.name, size: 12)
      if x > start, x + size > width { (x, y) = (start, y + 18) }
      mark(entry.shape, x + 6, y - 4, 10, entry.style)
      text(x + 17, y, entry.name, "label")
      x += size + 24
    }
    return y
  }

  /// The height that `legend` needs for its rows after the first.
  static func legendHeight(_ names: [String], width: Double) -> Double {
    var svg = SVG(width: width, height: 0)
    return svg.legend(names.map { (.circle, "", $0) }, x: 0, y: 0)
  }

  /// - Parameters:
  ///   - id: unique on the page.
  ///   - title: what the picture shows, for screen readers.
  ///   - description: the result, for screen readers.
  package func markup(id: String, title: String, description: String) -> String {
    let key = Escape.text(id)
    return """
      <svg id="\(key)" viewBox="0 0 \(Self.text(width)) \(Self.text(height))" style="max-width:\(Self.text(width))px" \
      role="img" aria-labelledby="\(key)-t \(key)-d">
      <title id="\(key)-t">\(Escape.text(title))</title>
      <desc id="\(key)-d">\(Escape.text(description))</desc>
      \(body)</svg>
      """
  }

  private mutating func element(_ name: String, _ attributes: String, _ style: String, _ tip: String?) {
    let inside = tip.map { "><title>\(Escape.text($0))</title></\(name)>" } ?? "/>"
    body += "<\(name) \(attributes)\(Self.styled(style))\(inside)\n"
  }

  private static func styled(_ style: String) -> String { style.isEmpty ? "" : " class=\"\(Escape.text(style))\"" }

  /// A coordinate with at most one decimal.
  private static func text(_ value: Double) -> String {
    guard value.isFinite, abs(value) < 1e7 else { return "0" }
    let tenths = Int((value * 10).rounded())
    let sign = tenths < 0 ? "-" : ""
    let (whole, tenth) = abs(tenths).quotientAndRemainder(dividingBy: 10)
    return tenth == 0 ? (whole == 0 ? "0" : "\(sign)\(whole)") : "\(sign)\(whole).\(tenth)"
  }
}
