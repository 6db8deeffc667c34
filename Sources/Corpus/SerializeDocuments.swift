import Pipeline

/// Documents to JSON lines: `id`, `text`, `source` where there is one, `origin`, and the other members as they stood.
public struct SerializeDocuments: Stage {
  /// Creates the stage.
  public init() {}

  /// One account.
  public var names: [String] { ["write"] }

  /// Serializes a batch.
  public func apply(_ batch: [Document], ledger: inout Ledger, offset: Int) throws -> [UInt8] {
    let text = batch.reduce(0) { $0 + $1.text.count }
    ledger.accounts[offset].input += batch.count
    ledger.accounts[offset].output += batch.count
    ledger.accounts[offset].bytesIn += text
    ledger.accounts[offset].bytesOut += text
    return Self.lines(batch)
  }

  /// The lines of documents, each with its newline.
  public static func lines(_ documents: [Document]) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(documents.reduce(0) { $0 + $1.text.count + $1.text.count / 16 + $1.members.count + 256 })
    for document in documents { append(document, to: &bytes) }
    return bytes
  }

  /// The line of a document, without a newline.
  public static func line(_ document: Document) -> [UInt8] { Array(lines([document]).dropLast()) }

  /// Appends the line of a document, with its newline.
  public static func append(_ document: Document, to bytes: inout [UInt8]) {
    bytes.append(contentsOf: "{\"id\": ".utf8)
    JSONText.append(string: document.id, to: &bytes)
    bytes.append(contentsOf: ", \"text\": ".utf8)
    JSONText.append(utf8: document.text, to: &bytes)
    if let source = document.source {
      bytes.append(contentsOf: ", \"source\": ".utf8)
      JSONText.append(string: source, to: &bytes)
    }
    if !document.origin.isEmpty {
      bytes.append(contentsOf: ", \"origin\": ".utf8)
      JSONText.append(string: document.origin, to: &bytes)
    }
    if !document.members.isEmpty {
      bytes.append(contentsOf: ", ".utf8)
      bytes.append(contentsOf: document.members)
    }
    bytes.append(contentsOf: [0x7D, 0x0A])
  }
}
