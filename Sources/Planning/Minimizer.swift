import CLBFGS
import Primitives

/// L-BFGS, by libLBFGS.
enum Minimizer {
  /// Takes the coordinates, writes the gradient and returns the value.
  typealias Function = (UnsafeBufferPointer<Double>, UnsafeMutableBufferPointer<Double>) -> Double

  private struct Context {
    let function: Function
    let count: Int
  }

  /// Minimizes a function from `start` until the gradient vanishes, the value stalls or `iterations` are used up. The result is never worse than
  /// the start.
  /// - Parameters:
  ///   - start: the initial coordinates.
  ///   - iterations: the maximum number of iterations.
  ///   - stall: the relative decrease over eight iterations below which the value stalls.
  ///   - function: a NaN or infinite value or gradient makes the line search step back.
  /// - Returns: the point reached and the value there.
  /// - Throws: `WeirError` where memory runs out.
  static func minimize(_ start: [Double], iterations: Int, stall: Double = 1e-12, _ function: Function) throws -> (
    point: [Double], value: Double
  ) {
    // Only the library's own allocation is padded and aligned as its SIMD code requires.
    guard let x = lbfgs_malloc(Int32(start.count)) else { throw WeirError("fit", "not enough memory") }
    defer { lbfgs_free(x) }
    for (index, value) in start.enumerated() { x[index] = value }
    var parameters = lbfgs_parameter_t()
    lbfgs_parameter_init(&parameters)
    parameters.m = 10
    parameters.max_iterations = Int32(iterations)
    parameters.epsilon = 1e-9
    parameters.past = 8
    parameters.delta = stall
    parameters.max_linesearch = 30
    var end = Double.nan
    let status = withoutActuallyEscaping(function) { escaping in
      var context = Context(function: escaping, count: start.count)
      return withUnsafeMutablePointer(to: &context) { pointer in
        lbfgs(
          Int32(start.count), x, &end,
          { instance, x, g, _, _ in
            guard let instance, let x, let g else { return .infinity }
            let context = instance.assumingMemoryBound(to: Context.self)
            let count = context.pointee.count
            let gradient = UnsafeMutableBufferPointer(start: g, count: count)
            let value = context.pointee.function(UnsafeBufferPointer(start: x, count: count), gradient)
            guard value.isFinite, gradient.allSatisfy(\.isFinite) else {
              gradient.update(repeating: 0)
              return 1e200
            }
            return value
          }, nil, pointer, &parameters)
      }
    }
    let reached = Array(UnsafeBufferPointer(start: x, count: start.count))
    // Where it converged, it went downhill all the way. A line search that fails leaves the last good point in x, but does not return its value.
    let converged = [LBFGS_SUCCESS, LBFGS_STOP, LBFGS_ALREADY_MINIMIZED].contains(Int(status))
    if converged, end.isFinite { return (reached, end) }
    let before = Self.value(start, function)
    let after = Self.value(reached, function)
    return after.isFinite && after <= before ? (reached, after) : (start, before)
  }

  private static func value(_ point: [Double], _ function: Function) -> Double {
    var gradient = [Double](repeating: 0, count: point.count)
    return point.withUnsafeBufferPointer { point in gradient.withUnsafeMutableBufferPointer { function(point, $0) } }
  }
}
