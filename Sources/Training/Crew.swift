import Foundation
import Kernels
import Primitives
import Storage

/// The processes that train one model together, or a single one alone. Rank 0 leads: it alone reads and writes the run's folder.
package struct Crew {
  private let ranks: Ranks?

  package init(_ ranks: Ranks? = nil) { self.ranks = ranks }

  /// This process.
  var rank: Int { ranks?.rank ?? 0 }
  /// The processes.
  var count: Int { ranks?.count ?? 1 }
  /// Whether this one leads.
  var leads: Bool { rank == 0 }
  /// Their sums of gradients; nil where one is alone.
  var sums: Ranks? { ranks.flatMap { $0.count > 1 ? $0 : nil } }

  /// Whether any of them says yes.
  func any(_ flag: Bool) -> Bool {
    guard let ranks = sums else { return flag }
    return ranks.gather([flag ? 1 : 0]).contains { $0[0] != 0 }
  }

  /// What the leading one makes of `value`, on all.
  func share<T: Codable>(_ value: () throws -> T) throws -> T {
    guard let ranks = sums else { return try value() }
    let own = leads ? Array(try JSONEncoder().encode([try value()])) : []
    // In a list, since a value alone may be none.
    guard let shared = try JSONDecoder().decode([T].self, from: Data(ranks.broadcast(own))).first else {
      throw WeirError("rank 0", "shares nothing")
    }
    return shared
  }

  /// The leading one's floats, on all.
  func share(_ block: FloatBuffer) {
    sums?.broadcast(UnsafeMutableRawBufferPointer(start: block.base, count: block.count * MemoryLayout<Float>.stride))
  }

  /// Scores of documents, each made by one of them.
  /// - Parameters:
  ///   - documents: all of them.
  ///   - score: the scores of a part.
  func divide(
    _ documents: [EvaluationDocument], _ score: ([EvaluationDocument]) throws -> [EvaluationScore]
  ) rethrows -> [EvaluationScore] {
    guard let ranks = sums else { return try score(documents) }
    let size = (documents.count + count - 1) / count
    var own = [Double](repeating: 0, count: 2 * size)
    for (index, result) in try score(stride(from: rank, to: documents.count, by: count).map { documents[$0] }).enumerated() {
      own[2 * index] = result.nats
      own[2 * index + 1] = Double(result.tokens)
    }
    let all = ranks.gather(own)
    return documents.indices.map { index in
      var score = EvaluationScore(bytes: documents[index].bytes)
      let part = all[index % count], place = index / count * 2
      score.nats = part[place]
      score.tokens = Int(part[place + 1])
      return score
    }
  }

  /// Throws, on the leading rank, where another one was started for something else.
  /// - Parameter members: what must be equal, with its name.
  func checkAgreement(_ members: () throws -> [(name: String, value: [UInt8])]) throws {
    guard let ranks = sums else { return }
    let members = try members()
    // 53 bits of each checksum, which a number holds.
    let all = ranks.gather(members.map { Double(Checksum.xxh3($0.value) >> 11) })
    guard leads, let other = all.indices.first(where: { all[$0] != all[0] }) else { return }
    let differences = zip(members, zip(all[0], all[other])).filter { $1.0 != $1.1 }.map(\.0.name)
    throw WeirError(
      "rank \(other)", "was started with another \(differences.joined(separator: ", ")) than rank 0",
      remedy: "start every rank with the same command, program and data")
  }
}
