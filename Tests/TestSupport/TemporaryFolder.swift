import Foundation

/// A path in the system's temporary folder at which nothing exists yet.
package func temporaryPath() -> String {
  FileManager.default.temporaryDirectory.appendingPathComponent("weir-" + UUID().uuidString).path
}

/// Runs `body` with a new temporary folder, which is removed afterwards.
package func withTemporaryFolder<R>(_ body: (String) throws -> R) throws -> R {
  let folder = temporaryPath()
  try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: folder) }
  return try body(folder)
}
