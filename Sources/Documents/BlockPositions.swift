import Synchronization

/// Where each block that is on its way through a chain begins, so that the sink knows from where a later run can resume.
package final class BlockPositions: Sendable {
  private let positions = Mutex<[DocumentSource.Position]>([])

  func push(_ position: DocumentSource.Position) { positions.withLock { $0.append(position) } }

  /// The beginning of the block whose documents come next; blocks keep their order.
  package func pop() -> DocumentSource.Position {
    positions.withLock { $0.isEmpty ? DocumentSource.Position(file: 0, byte: 0, line: 1) : $0.removeFirst() }
  }
}
