import Pipeline
import Storage
import Synchronization

/// `--rejects FILE`: dropped, quarantined and shortened records, one JSON line each with origin, stage, reason and record; compressed where the name ends in
/// `.zst`.
package final class RejectFile: RejectWriter {
  private let file: Mutex<StreamWriter>

  /// Creates the file, which appears on `commit`.
  package init(_ path: String) throws {
    file = Mutex(try StreamWriter(path, kind: .documents, coding: .of(path: path, lines: true)))
  }

  package func write(_ rejects: [Reject]) throws {
    guard !rejects.isEmpty else { return }
    var bytes: [UInt8] = []
    for reject in rejects {
      var value: [String: JSONValue] = [
        "origin": .string(reject.origin), "stage": .string(reject.stage), "reason": .string(reject.reason),
        "record": .string(String(decoding: reject.record, as: UTF8.self)),
      ]
      value["measured"] = reject.measured.map { .number($0) }
      value["limit"] = reject.limit.map { .number($0) }
      if let removed = reject.removedBytes { (value["kept"], value["removed_bytes"]) = (.bool(true), .number(Double(removed))) }
      bytes += try JSONFile.encode(JSONValue.object(value))
      bytes.append(10)
    }
    try file.withLock { try $0.write(bytes, records: rejects.count) }
  }

  package func commit() throws { _ = try file.withLock { try $0.finish() } }
}
