/// Finds free places for labels beside their marks: a fixed order of sides, the first that overlaps nothing wins, and a label
/// that finds none is left to the mark's tooltip.
struct LabelPlacer {
  private var taken: [Treemap.Box]
  private let frame: Treemap.Box

  /// Creates a placer.
  /// - Parameters:
  ///   - frame: where labels may stand.
  ///   - marks: centres of the marks that no label may cover.
  init(frame: Treemap.Box, marks: [(x: Double, y: Double)]) {
    self.frame = frame
    taken = marks.map { .init($0.x - 6, $0.y - 6, 12, 12) }
  }

  /// The baseline's start of a label beside a mark, nil where no side is free.
  /// - Complexity: O(labels placed).
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
  /// Whether the other box lies within this one.
  fileprivate func holds(_ other: Self) -> Bool {
    other.x >= x && other.y >= y && other.x + other.width <= x + width && other.y + other.height <= y + height
  }

  /// Whether the boxes share an area.
  fileprivate func overlaps(_ other: Self) -> Bool {
    x < other.x + other.width && other.x < x + width && y < other.y + other.height && other.y < y + height
  }
}
