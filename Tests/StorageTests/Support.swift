import Foundation
import Primitives
import Storage

/// A temporary folder for the time of `body`.
func withFolder<R>(_ body: (String) throws -> R) throws -> R {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("weir-" + UUID().uuidString).path
  try Files.createFolder(folder)
  defer { try? Files.remove(folder) }
  return try body(folder)
}

/// The error that `body` throws, as the line a person sees; empty where it throws none.
func message(_ body: () throws -> Void) -> String {
  do {
    try body()
    return ""
  } catch {
    return "\(error)"
  }
}

/// Pseudo-random text lines.
func sampleLines(_ count: Int, seed: UInt64) -> [UInt8] {
  var random = SequentialRandom(seed: seed)
  var bytes: [UInt8] = []
  for _ in 0..<count {
    for _ in 0..<Int.random(in: 0..<60, using: &random) { bytes.append(UInt8.random(in: 97...122, using: &random)) }
    bytes.append(0x0A)
  }
  return bytes
}
