import Documents
import Primitives
import Storage

/// Candidates that somebody else found, by signatures of `SignatureFile`: JSON Lines, each an array of the numbers of documents that share a
/// band, counted from 0 in input order.
package final class CandidateFile {
  private let path: String
  private let lines: LineReader

  /// Opens a file.
  /// - Throws: `WeirError` where it cannot be read.
  package init(_ path: String) throws {
    self.path = path
    lines = try LineReader(path)
  }

  /// Lines read so far.
  var linesRead: Int { lines.lines }

  /// The next buckets, about a million members of them; nil at the end.
  /// - Parameters:
  ///   - documents: how many there are.
  ///   - counts: whether a document takes part.
  /// - Throws: `WeirError` with the line that is no array of such numbers.
  func next(documents: Int, where counts: (Int) -> Bool) throws -> Buckets? {
    var buckets = Buckets()
    var hasMore = false
    while buckets.members.count < 1 << 20, let line = try lines.next() {
      hasMore = true
      if line.isEmpty { continue }
      let place = "\(path):\(lines.lines)"
      guard let numbers = try JSONDocument(line, place: place).root.array else {
        throw WeirError(place, "is no array", remedy: "write a line [3, 17, 20] for documents that share a band")
      }
      let members = try numbers.map { number in
        guard let document = number.int, 0..<documents ~= document else {
          throw WeirError(
            place, "has a member that is no document's number, 0…\(documents - 1)",
            remedy: "count the documents from 0 in the order of the signatures")
        }
        return document
      }
      buckets.append(Set(members.filter(counts)).sorted().map { UInt32($0) })
    }
    return hasMore ? buckets : nil
  }
}
