/// Buffers that the objective of a fit reuses: one column of losses, of their slopes, and of each derivative.
final class LawWorkspace {
  let losses: LawColumns.Column
  let slopes: LawColumns.Column
  /// ∂L/∂p, one column per parameter.
  let gradient: [LawColumns.Column]
  var theta: [Double]
  var total: [Double]
  private let storage: UnsafeMutablePointer<Double>

  /// - Parameters:
  ///   - parameters: the number of coordinates.
  ///   - count: the padded number of points.
  init(parameters: Int, count: Int) {
    storage = .allocate(capacity: (parameters + 2) * count)
    storage.initialize(repeating: 0, count: (parameters + 2) * count)
    losses = storage
    slopes = storage + count
    let columns = storage + 2 * count
    gradient = (0..<parameters).map { columns + $0 * count }
    theta = [Double](repeating: 0, count: parameters)
    total = theta
  }

  deinit { storage.deallocate() }
}
