import Corpus
import Foundation
import Pipeline
import Primitives
import Storage

/// Documents put aside in a temporary file until a decision about all of them is made.
final class DocumentSpool {
  private let path = FileManager.default.temporaryDirectory.appendingPathComponent("weir-spool-\(UUID().uuidString).jsonl").path
  private let file: AtomicFile
  private var documents = 0

  init() throws { file = try AtomicFile(path) }

  deinit {
    file.discard()
    try? Files.remove(path)
  }

  /// Puts documents aside.
  func append(_ batch: [Document]) throws {
    documents += batch.count
    try file.write(SerializeDocuments.lines(batch))
  }

  /// Gives all of them back, in order.
  func replay(_ body: ([Document]) throws -> Void) throws {
    _ = try file.commit()
    guard documents > 0 else { return }
    let source = try DocumentSource(paths: [path], limit: Int.max)
    let parse = ParseDocuments()
    var ledger = Ledger(names: parse.names)
    var seen = 0
    while let block = try source.next() {
      let batch = try parse.apply(block, ledger: &ledger, offset: 0)
      seen += batch.count
      try body(batch)
    }
    guard seen == documents else {
      throw WeirError(path, "\(seen) of \(documents) documents came back from the temporary file", remedy: "check the disk and run again")
    }
  }
}
