import Artifacts
import Documents
import Pipeline
import Primitives
import Storage

/// The first half of a search for near-duplicates, for engines that shuffle: the MinHash signature of every document.
package struct SignDocuments: Stage {
  private let signer: Signer

  /// Creates the stage.
  /// - Throws: `WeirError` for a configuration out of range.
  package init(_ configuration: DeduplicationConfiguration = .init()) throws { signer = try Signer(configuration) }

  /// One account, `dedup.signatures`.
  package var names: [String] { ["dedup.signatures"] }

  /// Makes the signatures of one batch.
  /// - Returns: [documents, bands · rows] values; those of a text without words are all ones.
  package func apply(_ batch: [Document], ledger: inout Ledger, offset: Int) -> [UInt64] {
    let bytes = batch.reduce(0) { $0 + $1.text.count }
    ledger.accounts[offset].input += batch.count
    ledger.accounts[offset].output += batch.count
    ledger.accounts[offset].bytesIn += bytes
    ledger.accounts[offset].bytesOut += bytes
    var values: [UInt64] = []
    values.reserveCapacity(batch.count * signer.count)
    signer.forEach(batch) { values += $2 }
    return values
  }
}

/// Writes signatures as one array of numpy's, [documents, bands · rows]. How many there are stands at its beginning and is known at the
/// end, so they wait in a temporary file.
package final class SignatureFile {
  private let file: AtomicFile
  private let values: SpillBuffer<UInt64>
  private let columns: Int

  /// Begins a file.
  /// - Parameters:
  ///   - path: where it is to be.
  ///   - configuration: the same as for `SignDocuments`.
  /// - Throws: `WeirError` where it cannot be written.
  package init(_ path: String, configuration: DeduplicationConfiguration = .init()) throws {
    file = try AtomicFile(path)
    columns = configuration.bands * configuration.rows
    values = SpillBuffer(limit: 1 << 20, folder: nil)
  }

  /// Appends the signatures of a batch, in input order.
  /// - Throws: `WeirError` when the disk is full.
  package func append(_ signatures: [UInt64]) throws { try values.append(signatures) }

  /// Makes the file appear.
  /// - Throws: `WeirError` when the disk is full.
  package func commit() throws {
    try file.write(NumPyArray.header(bytes: 8, shape: [values.count / columns, columns]))
    try values.forEachPiece { piece, _ in try file.write(UnsafeRawBufferPointer(piece)) }
    _ = try file.commit()
  }

  /// Gives the file up.
  package func discard() { file.discard() }
}
