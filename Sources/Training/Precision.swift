import CKernels

/// The precision of the operands of matrix products. Weights, moments, activations, sums and softmax are float32 in either.
public enum Precision: String, Codable, Sendable, CaseIterable {
  /// Single precision.
  case float32
  /// Operands rounded to bfloat16 as they are packed; wants AVX512-BF16.
  case bf16

  /// Whether this processor can.
  public var isSupported: Bool { self == .float32 || weir_bf16_supported() != 0 }
}
