import Documents
import Primitives
import Storage

/// Candidate groups that another engine found from the signatures of `SignatureFile`. Each line of the JSON Lines file is an array of the
/// numbers of documents that collide in a band, counted from 0 in input order.
package final class CandidateFile {
  private let path: String
  private let lines: LineReader

  /// - Throws: `WeirError` if the file cannot be read.
  package init(_ path: String) throws {
    self.path = path
    lines = try LineReader(path)
  }

  var linesRead: Int { lines.lines }

  /// Reads the next buckets, up to about a million members in total; nil at the end of the file.
  /// - Parameters:
  ///   - documents: the number of documents in the corpus.
  ///   - counts: whether to include a document.
  /// - Throws: `WeirError` with the number of a line that is not an array of document numbers.
  func next(documents: Int, where counts: (Int) -> Bool) throws -> Buckets? {
    var buckets = Buckets()
    var hasMore = false
    while buckets.members.count < 1 << 20, let line = try lines.next() {
      hasMore = true
      if line.isEmpty { continue }
      let place = "\(path):\(lines.lines)"
      guard let numbers = try JSONDocument(line, place: place).root.array else {
        throw WeirError(place, "is not an array", remedy: "write one array of document numbers per group, such as [3, 17, 20]")
      }
      let members = try numbers.map { number in
        guard let document = number.int, 0..<documents ~= document else {
          throw WeirError(
            place, "contains a value that is not a document number, 0…\(documents - 1)",
            remedy: "number documents from 0, in the order of the signatures")
        }
        return document
      }
      buckets.append(Set(members.filter(counts)).sorted().map { UInt32($0) })
    }
    return hasMore ? buckets : nil
  }
}
