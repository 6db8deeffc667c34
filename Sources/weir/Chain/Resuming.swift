import Documents
import Pipeline
import Storage
import Synchronization

/// What a chain needs so that its end can go on with what an earlier run left: what the job is, and where each block on its way began.
///
/// Only a chain that cuts files into tokens is resumed. Stages between could be, since what they do to a document depends on it alone, but
/// a job is told by its options, and barriers would have to remember all that they saw.
final class Resuming: Sendable {
  /// All that the documents depend on.
  let job: JSONValue
  private let blocks = Mutex<[DocumentSource.Position]>([])

  init(job: JSONValue) { self.job = job }

  /// Remembers a block that was read.
  func push(_ position: DocumentSource.Position) { blocks.withLock { $0.append(position) } }

  /// The block whose documents come next: the runner keeps the order.
  func pop() -> DocumentSource.Position {
    blocks.withLock { $0.isEmpty ? DocumentSource.Position(file: 0, byte: 0, line: 1) : $0.removeFirst() }
  }
}

extension Chain {
  /// What makes this chain resumable; nil where it is not.
  func resuming(_ source: DocumentSource) throws -> Resuming? {
    guard links.isEmpty, rejects == nil, let files = try source.identity() else { return nil }
    return Resuming(job: [
      "tool": .string(Weir.tool), "files": files, "text_field": .string(input.textField), "id_field": .string(input.idField),
      "max_document": .number(Double(input.maxDocument.value)),
    ])
  }
}
