import Dispatch

/// The peak throughput of matrix products on this machine.
package enum MatrixPeak {
  /// FLOP/s of products on all threads of a pool at once: the best of eight rounds of a few milliseconds.
  /// - Parameters:
  ///   - pool: each of its threads computes its own products.
  ///   - product: computes C [rows, columns] = A [rows, inner] · B [inner, columns] on contiguous row-major matrices.
  package static func flops(
    rows: Int, inner: Int, columns: Int, pool: ThreadPool,
    product: @Sendable (_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ c: UnsafeMutablePointer<Float>) -> Void
  ) -> Double {
    precondition(rows > 0 && inner > 0 && columns > 0, "a dimension is not positive")
    let sizes = [rows * inner, inner * columns, rows * columns]
    let room = UnsafeMutablePointer<Float>.allocate(capacity: sizes.reduce(0, +) * pool.threads)
    defer { room.deallocate() }
    room.initialize(repeating: 0.5, count: sizes.reduce(0, +) * pool.threads)
    nonisolated(unsafe) let base = room
    let work = 2 * Double(rows) * Double(inner) * Double(columns)
    // A round of 10⁸ FLOPs per thread takes about 2 ms at 50 GFLOP/s.
    let repeats = max(1, Int(1e8 / work))
    var best = 0.0
    for _ in 0..<8 {
      let begin = DispatchTime.now().uptimeNanoseconds
      pool.run(pool.threads) { thread in
        let a = base + thread * sizes.reduce(0, +), b = a + sizes[0], c = b + sizes[1]
        for _ in 0..<repeats { product(a, b, c) }
      }
      let seconds = Double(DispatchTime.now().uptimeNanoseconds - begin) * 1e-9
      best = max(best, work * Double(repeats * pool.threads) / max(seconds, 1e-9))
    }
    return best
  }
}
