import Pipeline
import Primitives

/// Small sets of documents read into memory, such as specialist seeds and held-out data.
public enum DocumentFile {
  /// Reads all documents of files, folders or standard input.
  /// - Throws: `WeirError` for the first line that is not a document, and where there is no document.
  public static func readAll(_ paths: [String], textField: String = "text", idField: String = "id") throws -> [Document] {
    let source = try DocumentSource(paths: paths)
    let parse = ParseDocuments(textField: textField, idField: idField)
    var documents: [Document] = []
    while let block = try source.next() {
      var tally = Tally(stage: ParseDocuments.stage, keepsRejects: true)
      documents += try parse.apply(block, tally: &tally)
      if let reject = tally.rejects.first { throw WeirError(reject.origin, reject.reason, remedy: "correct or remove the line") }
    }
    try source.finish()
    if documents.isEmpty {
      throw WeirError(
        source.files.first == "-" ? "standard input" : paths.joined(separator: " "), "no documents", remedy: "check the input")
    }
    return documents
  }
}
