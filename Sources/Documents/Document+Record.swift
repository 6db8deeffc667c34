import Pipeline

extension Document: Record {
  package var byteCount: Int { text.count }
  package func rejectedForm() -> [UInt8] { SerializeDocuments.line(self) }
}
