import Storage

/// Standard output, for reports.
enum StandardOutput {
  /// Writes text.
  /// - Throws: `BrokenPipe` where the reader has gone, `WeirError` where the disk is full.
  static func write(_ text: String) throws { try write(Array(text.utf8)) }

  /// Writes bytes.
  static func write(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes(write) }

  /// Writes bytes.
  static func write(_ bytes: UnsafeRawBufferPointer) throws { try Files.writeToStandardOutput(bytes) }
}
