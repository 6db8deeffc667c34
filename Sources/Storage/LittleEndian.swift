// Little-endian integers in bytes, as all formats store them.

extension UnsafeRawBufferPointer {
  /// The integer whose first byte is at `offset`.
  @inlinable package func integer<T: FixedWidthInteger>(at offset: Int, as _: T.Type = T.self) -> T {
    T(littleEndian: loadUnaligned(fromByteOffset: offset, as: T.self))
  }

  /// An element of an array of unsigned integers of `width` bytes, 2 or 4.
  @inlinable package func element(_ index: Int, width: Int) -> UInt32 {
    width == 2 ? UInt32(integer(at: 2 * index, as: UInt16.self)) : integer(at: 4 * index)
  }
}

extension [UInt8] {
  @inlinable package mutating func append<T: FixedWidthInteger>(integer value: T) {
    Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
  }
}
