import Pipeline

/// JSON lines on their way to a sink.
package struct SerializedDocuments: Sendable {
  package var bytes: [UInt8]
  /// The number of documents.
  package var count: Int
}

/// Turns documents into JSON lines: `id`, `text`, `source` where there is one, `origin`, and the other members unchanged.
package struct SerializeDocuments: Stage {
  package func apply(_ batch: [Document], tally: inout Tally) -> SerializedDocuments {
    SerializedDocuments(bytes: Self.lines(batch), count: batch.count)
  }

  /// The lines of documents, each with its newline.
  package static func lines(_ documents: [Document]) -> [UInt8] {
    let room = documents.reduce(0) { $0 + Self.room($1) }
    return [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
      guard let base = buffer.baseAddress else { return }
      var pen = JSONPen(at: base)
      for document in documents { write(document, &pen) }
      count = pen.at - base
    }
  }

  /// The line of a document, without a newline.
  package static func line(_ document: Document) -> [UInt8] { Array(lines([document]).dropLast()) }

  /// The most bytes that a line takes; names and commas take less than 64.
  private static func room(_ document: Document) -> Int {
    textRoom(document) + JSONText.room(bytes: document.id.utf8.count)
      + JSONText.room(bytes: document.source?.utf8.count ?? 0) + JSONText.room(bytes: document.origin.utf8.count)
      + document.members.count + 64
  }

  private static func textRoom(_ document: Document) -> Int {
    if let escaped = document.escapedText { return escaped.count + 2 }
    return document.text.withUnsafeBufferPointer { JSONText.room($0) }
  }

  private static func write(_ document: Document, _ pen: inout JSONPen) {
    pen.raw("{\"id\": ")
    pen.string(document.id)
    pen.raw(", \"text\": ")
    if let escaped = document.escapedText {
      pen.raw("\"")
      pen.raw(escaped)
      pen.raw("\"")
    } else {
      document.text.withUnsafeBufferPointer { pen.string($0) }
    }
    if let source = document.source {
      pen.raw(", \"source\": ")
      pen.string(source)
    }
    if !document.origin.isEmpty {
      pen.raw(", \"origin\": ")
      pen.string(document.origin)
    }
    if !document.members.isEmpty {
      pen.raw(", ")
      pen.raw(document.members)
    }
    pen.raw("}\n")
  }
}
