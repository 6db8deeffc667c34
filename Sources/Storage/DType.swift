/// The element types of safetensors.
package enum DType: String, Sendable, Codable, CaseIterable {
  case F64, F32, F16, BF16, F8_E5M2, F8_E4M3, F8_E8M0, C64, I64, I32, I16, I8, U64, U32, U16, U8, BOOL

  /// Bytes per element.
  package var size: Int {
    switch self {
    case .F64, .I64, .U64, .C64: 8
    case .F32, .I32, .U32: 4
    case .F16, .BF16, .I16, .U16: 2
    case .F8_E5M2, .F8_E4M3, .F8_E8M0, .I8, .U8, .BOOL: 1
    }
  }
}

/// Half to single precision, in integer arithmetic, so that the bits are the same on every machine.
enum HalfPrecision {
  /// From IEEE binary16.
  static func float16(_ half: UInt16) -> Float {
    let sign = UInt32(half >> 15) << 31
    let exponent = UInt32(half >> 10) & 0x1F
    let fraction = UInt32(half) & 0x3FF
    if exponent == 0x1F { return Float(bitPattern: sign | 0x7F80_0000 | fraction << 13) }
    if exponent == 0 {
      let magnitude = Float(fraction) * 0x1p-24
      return sign == 0 ? magnitude : -magnitude
    }
    return Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
  }

  /// From bfloat16, the upper half of a `Float`.
  static func bfloat16(_ half: UInt16) -> Float { Float(bitPattern: UInt32(half) << 16) }
}
