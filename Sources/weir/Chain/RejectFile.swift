import Foundation
import Pipeline
import Primitives
import Storage
import Synchronization

/// `--rejects FILE`: what was dropped or quarantined, a JSON line each: origin, stage, reason, record.
final class RejectFile: Sendable {
  private let file: Mutex<AtomicFile>

  init(_ path: String) throws { file = Mutex(try AtomicFile(path)) }

  /// Writes some rejects.
  func write(_ rejects: [Reject]) throws {
    guard !rejects.isEmpty else { return }
    var bytes: [UInt8] = []
    for reject in rejects {
      let value = JSONValue.object([
        "origin": .string(reject.origin), "stage": .string(reject.stage), "reason": .string(reject.reason),
        "record": .string(String(decoding: reject.record, as: UTF8.self)),
      ])
      bytes += try JSONFile.encode(value)
      bytes.append(10)
    }
    try file.withLock { try $0.write(bytes) }
  }

  /// Puts the file under its name.
  func commit() throws { _ = try file.withLock { try $0.commit() } }
}
