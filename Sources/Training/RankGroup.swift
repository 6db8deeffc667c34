import Foundation
import Kernels
import Primitives
import Storage

/// The ranks that train one model together, or a single process. Only the root, rank 0, reads and writes the run folder.
package struct RankGroup {
  private let ranks: Ranks?

  package init(_ ranks: Ranks? = nil) { self.ranks = ranks }

  /// The rank of this process.
  var rank: Int { ranks?.rank ?? 0 }
  var count: Int { ranks?.count ?? 1 }
  var isRoot: Bool { rank == 0 }
  /// Collective operations; nil for a single process.
  var collectives: Ranks? { ranks.flatMap { $0.count > 1 ? $0 : nil } }

  /// Whether the flag is set on any rank.
  func any(_ flag: Bool) -> Bool {
    guard let ranks = collectives else { return flag }
    return ranks.gather([flag ? 1 : 0]).contains { $0[0] != 0 }
  }

  /// Evaluates `value` on the root and returns the result on all ranks.
  package func broadcast<T: Codable>(_ value: () throws -> T) throws -> T {
    guard let ranks = collectives else { return try value() }
    // Wrapped in an array, so that nil can be encoded too.
    let own = isRoot ? Array(try JSONEncoder().encode([try value()])) : []
    guard let shared = try JSONDecoder().decode([T].self, from: Data(ranks.broadcast(own))).first else {
      throw WeirError("rank 0", "broadcast an empty value")
    }
    return shared
  }

  /// Copies the root's floats to all ranks.
  func broadcast(_ block: FloatBuffer) {
    collectives?.broadcast(UnsafeMutableRawBufferPointer(start: block.base, count: block.count * MemoryLayout<Float>.stride))
  }

  /// Scores documents in parallel: each rank scores every `count`-th document, and all ranks get all scores.
  /// - Parameter score: scores some of the documents on this rank.
  func distribute(
    _ documents: [EvaluationDocument], _ score: ([EvaluationDocument]) throws -> [EvaluationScore]
  ) rethrows -> [EvaluationScore] {
    guard let ranks = collectives else { return try score(documents) }
    let size = (documents.count + count - 1) / count
    var own = [Double](repeating: 0, count: 2 * size)
    for (index, result) in try score(stride(from: rank, to: documents.count, by: count).map { documents[$0] }).enumerated() {
      own[2 * index] = result.nats
      own[2 * index + 1] = Double(result.tokens)
    }
    let all = ranks.gather(own)
    return documents.indices.map { index in
      let part = all[index % count], place = index / count * 2
      return EvaluationScore(nats: part[place], tokens: Int(part[place + 1]), bytes: documents[index].bytes)
    }
  }

  /// Throws on the root if another rank was started with different arguments, program or data.
  /// - Parameter members: the values that must agree, with their names.
  func checkAgreement(_ members: () throws -> [(name: String, value: [UInt8])]) throws {
    guard let ranks = collectives else { return }
    let members = try members()
    // The checksums travel as doubles, which hold 53 bits exactly.
    let all = ranks.gather(members.map { Double(Checksum.xxh3($0.value) >> 11) })
    guard isRoot, let other = all.indices.first(where: { all[$0] != all[0] }) else { return }
    let differences = zip(members, zip(all[0], all[other])).filter { $1.0 != $1.1 }.map(\.0.name)
    throw WeirError(
      "rank \(other)", "differs from rank 0 in \(differences.joined(separator: ", "))",
      remedy: "start every rank with the same command, program and data")
  }
}
