/// One-dimensional root finding and minimization with a bounded number of evaluations.
enum ScalarSearch {
  /// The root of a decreasing function on `low…high`: the Illinois method (Dowell and Jarratt 1971), with a bisection in every fourth step.
  /// Infinite values are allowed. An end of the range is returned where the root is not inside.
  static func root(_ low: Double, _ high: Double, tolerance: Double = 1e-12, _ function: (Double) -> Double) -> Double {
    var (a, b) = (low, high)
    var (atA, atB) = (function(a), function(b))
    var side = 0
    guard atA > 0 else { return a }
    guard atB < 0 else { return b }
    for step in 0..<200 where b - a > tolerance * max(1, abs(a), abs(b)) {
      var middle = a + (b - a) * (atA / (atA - atB))
      if step % 4 == 3 || !(middle > a && middle < b) { middle = 0.5 * (a + b) }
      let value = function(middle)
      if value == 0 { return middle }
      if value > 0 {
        (a, atA) = (middle, value)
        if side > 0 { atB *= 0.5 }
        side = 1
      } else {
        (b, atB) = (middle, value)
        if side < 0 { atA *= 0.5 }
        side = -1
      }
    }
    return 0.5 * (a + b)
  }

  /// The minimum of a function on `low…high`: a grid, then golden-section search around its best point. It is the global minimum where the
  /// function has one valley, or valleys wider than a grid step.
  static func minimum(_ low: Double, _ high: Double, grid: Int, steps: Int = 40, _ function: (Double) -> Double) -> Double {
    let width = (high - low) / Double(grid)
    var best = low
    var value = Double.infinity
    for index in 0...grid {
      let point = index == grid ? high : low + width * Double(index)
      let here = function(point)
      if here < value { (best, value) = (point, here) }
    }
    var (a, b) = (max(low, best - width), min(high, best + width))
    let ratio = 0.618_033_988_749_894_9
    var (left, right) = (b - ratio * (b - a), a + ratio * (b - a))
    var (atLeft, atRight) = (function(left), function(right))
    for _ in 0..<steps {
      if atLeft < atRight {
        (b, right, atRight) = (right, left, atLeft)
        left = b - ratio * (b - a)
        atLeft = function(left)
      } else {
        (a, left, atLeft) = (left, right, atRight)
        right = a + ratio * (b - a)
        atRight = function(right)
      }
    }
    let (point, here) = atLeft < atRight ? (left, atLeft) : (right, atRight)
    return here < value ? point : best
  }
}
