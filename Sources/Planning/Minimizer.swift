import CLBFGS
import Primitives

/// L-BFGS of libLBFGS behind a closure.
enum Minimizer {
  /// A function and its gradient: coordinates in, gradient out, value returned.
  typealias Function = (UnsafeBufferPointer<Double>, UnsafeMutableBufferPointer<Double>) -> Double

  private struct Context {
    let function: Function
    let count: Int
  }

  /// Walks downhill from `start` until the gradient vanishes, the value stalls, or `iterations` are used up. The place
  /// reached is never worse than the start.
  /// - Parameters:
  ///   - start: coordinates.
  ///   - iterations: at most.
  ///   - function: the function; a value that is not finite is a wall.
  /// - Returns: the place and the value there.
  /// - Throws: `WeirError` where memory runs out.
  static func minimize(_ start: [Double], iterations: Int, _ function: Function) throws -> (place: [Double], value: Double) {
    // The library pads the vector for vector instructions: only its own allocation is long and aligned enough.
    guard let x = lbfgs_malloc(Int32(start.count)) else { throw WeirError("plan fit", "out of memory") }
    defer { lbfgs_free(x) }
    for (index, value) in start.enumerated() { x[index] = value }
    var parameters = lbfgs_parameter_t()
    lbfgs_parameter_init(&parameters)
    parameters.m = 10
    parameters.max_iterations = Int32(iterations)
    parameters.epsilon = 1e-9
    parameters.past = 8
    parameters.delta = 1e-12
    parameters.max_linesearch = 30
    withoutActuallyEscaping(function) { escaping in
      var context = Context(function: escaping, count: start.count)
      withUnsafeMutablePointer(to: &context) { pointer in
        _ = lbfgs(
          Int32(start.count), x, nil,
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
    // A line search that gives up leaves the last good place in x, but not its value.
    let reached = Array(UnsafeBufferPointer(start: x, count: start.count))
    let before = Self.value(start, function)
    let after = Self.value(reached, function)
    return after.isFinite && after <= before ? (reached, after) : (start, before)
  }

  private static func value(_ place: [Double], _ function: Function) -> Double {
    var gradient = [Double](repeating: 0, count: place.count)
    return place.withUnsafeBufferPointer { place in gradient.withUnsafeMutableBufferPointer { function(place, $0) } }
  }
}
