extension MappedFile {
  /// Little-endian unsigned integers.
  /// - Parameters:
  ///   - start: the first byte.
  ///   - width: bytes per integer, 2 or 4.
  package func integers(at start: Int, width: Int, count: Int) -> [UInt32] {
    withBytes { bytes in
      (0..<count).map { index in
        width == 2
          ? UInt32(UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: start + 2 * index, as: UInt16.self)))
          : UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: start + 4 * index, as: UInt32.self))
      }
    }
  }
}
