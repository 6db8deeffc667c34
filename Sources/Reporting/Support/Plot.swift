/// The frame of a chart with two axes: grid lines, tick labels and axis titles.
struct Plot {
  var svg: SVG
  /// The plot's edges in pixels.
  let left: Double, right: Double, top: Double, bottom: Double

  init(width: Double, height: Double, left: Double = 48, right: Double = 16, top: Double = 26, bottom: Double = 40) {
    svg = SVG(width: width, height: height)
    self.left = left
    self.right = width - right
    self.top = top
    self.bottom = height - bottom
  }

  /// The pixels of the axes, from the lowest to the highest value.
  var across: (Double, Double) { (left, right) }
  var upward: (Double, Double) { (bottom, top) }

  /// Draws the horizontal axis, with its title below.
  mutating func horizontal(_ scale: Scale, title: String, count: Int = 6, format: ((Double) -> String)? = nil) {
    var lastEnd = -Double.infinity
    for (value, text) in scale.labels(count, format: format) {
      let x = scale(value)
      svg.line(x, top, x, bottom, "grid")
      let half = TextMetrics.width(text, size: 11) / 2
      guard x - half > lastEnd + 4, x + half <= svg.width else { continue }
      svg.line(x, bottom, x, bottom + 4, "axis")
      svg.text(x, bottom + 16, text, "tick", anchor: .middle)
      lastEnd = x + half
    }
    svg.line(scale.start, bottom, scale.end, bottom, "axis")
    svg.text((scale.start + scale.end) / 2, bottom + 33, title, "label", anchor: .middle)
  }

  /// Draws the vertical axis, with its title above, so that it need not be rotated.
  mutating func vertical(_ scale: Scale, title: String, count: Int = 5, format: ((Double) -> String)? = nil) {
    for (value, text) in scale.labels(count, format: format) {
      let y = scale(value)
      svg.line(left, y, right, y, "grid")
      svg.text(left - 7, y + 4, text, "tick", anchor: .end)
    }
    let x = max(0, left - 44)
    let lines = TextMetrics.wrap(title, into: svg.width - x, size: 12)
    for (row, line) in lines.enumerated() { svg.text(x, top - 12 - 14 * Double(lines.count - 1 - row), line, "label") }
  }

  /// Draws labels at the right ends of lines, moved apart where they would overlap.
  mutating func endLabels(_ labels: [(x: Double, y: Double, text: String, style: String)]) {
    let moved = Self.spread(labels.map(\.y), gap: 14, within: (top, bottom))
    for (label, y) in zip(labels, moved) {
      if abs(y - label.y) > 3 { svg.line(label.x + 2, label.y, label.x + 8, y, "leader") }
      svg.text(label.x + 10, y + 4, label.text, "direct \(label.style)")
    }
  }

  /// Positions at least `gap` apart and near the wished ones, in the same order.
  static func spread(_ wished: [Double], gap: Double, within limits: (low: Double, high: Double)) -> [Double] {
    let order = wished.indices.sorted { (wished[$0], $0) < (wished[$1], $1) }
    var places = wished
    var floor = -Double.infinity
    for index in order {
      places[index] = max(wished[index], floor)
      floor = places[index] + gap
    }
    var ceiling = limits.high
    for index in order.reversed() where places[index] > ceiling {
      places[index] = ceiling
      ceiling = places[index] - gap
    }
    // A block that was pushed down is centered on its wished positions again if there is room above.
    var first = 0
    while first < order.count {
      var last = first
      while last + 1 < order.count && places[order[last + 1]] - places[order[last]] < gap + 0.01 { last += 1 }
      let block = order[first...last]
      let shift = block.reduce(0.0) { $0 + places[$1] - wished[$1] } / Double(block.count)
      let room = first == 0 ? places[order[first]] - limits.low : places[order[first]] - places[order[first - 1]] - gap
      let move = min(max(shift, 0), max(room, 0))
      for index in block { places[index] -= move }
      first = last + 1
    }
    return places
  }
}
