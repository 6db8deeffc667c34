/// Squarified treemaps (Bruls, Huizing, van Wijk 2000): areas proportional to weights, with aspect ratios near 1.
package enum Treemap {
  /// A rectangle in pixels.
  package struct Box: Sendable, Equatable {
    package var x: Double, y: Double, width: Double, height: Double

    package init(_ x: Double, _ y: Double, _ width: Double, _ height: Double) {
      (self.x, self.y, self.width, self.height) = (x, y, width, height)
    }

    /// The box without a margin on each side.
    func inset(_ margin: Double) -> Box { Box(x + margin, y + margin, max(0, width - 2 * margin), max(0, height - 2 * margin)) }
  }

  /// Lays out weights in a box.
  /// - Parameters:
  ///   - weights: negative, NaN and infinite weights count as 0.
  ///   - box: the area to fill.
  /// - Returns: one box per weight, in the order of the weights.
  package static func layout(_ weights: [Double], in box: Box) -> [Box] {
    let safe = weights.map { $0.isFinite && $0 > 0 ? $0 : 0 }
    let total = safe.reduce(0, +)
    var boxes = [Box](repeating: Box(box.x, box.y, 0, 0), count: weights.count)
    guard total > 0, total.isFinite, box.width > 0, box.height > 0 else { return boxes }
    let order = safe.indices.filter { safe[$0] > 0 }.sorted { (safe[$1], $0) < (safe[$0], $1) }
    let scale = box.width * box.height / total
    var rest = box
    var first = 0
    while first < order.count {
      let side = min(rest.width, rest.height)
      var last = first
      var sum = safe[order[first]] * scale
      var worst = ratio(largest: sum, smallest: sum, sum: sum, side: side)
      while last + 1 < order.count {
        let next = safe[order[last + 1]] * scale
        let longer = ratio(largest: safe[order[first]] * scale, smallest: next, sum: sum + next, side: side)
        if longer > worst { break }
        (worst, sum, last) = (longer, sum + next, last + 1)
      }
      let thickness = side > 0 ? sum / side : 0
      var along = 0.0
      for index in order[first...last] {
        let length = thickness > 0 ? safe[index] * scale / thickness : 0
        boxes[index] =
          rest.width >= rest.height ? Box(rest.x, rest.y + along, thickness, length) : Box(rest.x + along, rest.y, length, thickness)
        along += length
      }
      rest =
        rest.width >= rest.height
        ? Box(rest.x + thickness, rest.y, max(0, rest.width - thickness), rest.height)
        : Box(rest.x, rest.y + thickness, rest.width, max(0, rest.height - thickness))
      first = last + 1
    }
    return boxes
  }

  /// The worst aspect ratio of a row.
  private static func ratio(largest: Double, smallest: Double, sum: Double, side: Double) -> Double {
    let square = side * side
    return max(square * largest / (sum * sum), sum * sum / (square * smallest))
  }
}
