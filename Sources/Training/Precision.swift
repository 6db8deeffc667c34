import CKernels

/// The precision of the operands of matrix products. Everything else is float32: weights, moments, activations, sums and softmax.
package enum Precision: String, Codable, Sendable, CaseIterable {
  case float32
  /// Operands are rounded to bfloat16 when they are packed; requires AVX512-BF16.
  case bf16

  /// Whether this processor supports it.
  package var isSupported: Bool { self == .float32 || weir_bf16_supported() != 0 }

  /// The faster precision on this processor.
  package static var fastest: Precision { weir_bf16_pays() != 0 ? .bf16 : .float32 }

  /// C [m, n] (+)= op(A)·op(B), on the calling thread.
  func product(
    _ transposeA: Int32, _ transposeB: Int32, m: Int, n: Int, k: Int, _ a: UnsafePointer<Float>, _ lda: Int, _ b: UnsafePointer<Float>,
    _ ldb: Int, _ c: UnsafeMutablePointer<Float>, _ ldc: Int, add: Bool
  ) {
    switch self {
    case .float32: weir_gemm(transposeA, transposeB, m, n, k, a, lda, b, ldb, c, ldc, add ? 1 : 0)
    case .bf16: weir_gemm_bf16(transposeA, transposeB, m, n, k, a, lda, b, ldb, c, ldc, add ? 1 : 0)
    }
  }
}
