/// Places labels beside their marks, at the first of several sides where nothing overlaps. A label without a free side is left out; its mark
/// has a tooltip.
struct LabelPlacer {
  private var taken: [Treemap.Box]
  private let frame: Treemap.Box

  /// - Parameters:
  ///   - frame: the area for labels.
  ///   - marks: centers of marks that labels must not cover.
  init(frame: Treemap.Box, marks: [(x: Double, y: Double)]) {
    self.frame = frame
    taken = marks.map { .init($0.x - 6, $0.y - 6, 12, 12) }
  }

  /// The start of the label's baseline; nil if no side is free.
  mutating func place(_ text: String, beside mark: (x: Double, y: Double)) -> (x: Double, y: Double)? {
    let width = TextMetrics.width(text, size: 12)
    let sides = [(11.0, -8.0), (11, 8), (-11 - width, -8), (-11 - width, 8), (-width / 2, -17), (-width / 2, 17)]
    for (dx, dy) in sides {
      let box = Treemap.Box(mark.x + dx, mark.y + dy - 7, width, 14)
      guard frame.holds(box), !taken.contains(where: box.overlaps) else { continue }
      taken.append(box)
      return (box.x, box.y + 11)
    }
    return nil
  }
}

extension Treemap.Box {
  fileprivate func holds(_ other: Self) -> Bool {
    other.x >= x && other.y >= y && other.x + other.width <= x + width && other.y + other.height <= y + height
  }

  fileprivate func overlaps(_ other: Self) -> Bool {
    x < other.x + other.width && other.x < x + width && y < other.y + other.height && other.y < y + height
  }
}
