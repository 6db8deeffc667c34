import CBLAS

/// Row-major single-precision matrix products. OpenBLAS runs on one thread; callers run several products in parallel on a `ThreadPool`.
package enum BLAS {
  /// C ← α·op(A)·op(B) + β·C, with op(A) [m, k], op(B) [k, n], C [m, n], all row-major with leading dimensions in elements.
  package static func sgemm(
    transposeA: Bool = false, transposeB: Bool = false, m: Int, n: Int, k: Int, alpha: Float = 1, a: UnsafePointer<Float>, lda: Int,
    b: UnsafePointer<Float>, ldb: Int, beta: Float = 0, c: UnsafeMutablePointer<Float>, ldc: Int
  ) {
    guard m > 0, n > 0 else { return }
    weir_sgemm(
      transposeA ? 1 : 0, transposeB ? 1 : 0, Int32(m), Int32(n), Int32(k), alpha, a, Int32(max(1, lda)), b, Int32(max(1, ldb)), beta, c,
      Int32(max(1, ldc)))
  }
}
