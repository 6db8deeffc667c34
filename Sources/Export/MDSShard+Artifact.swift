import Primitives
import Storage

extension MDSShard: Artifact {
  package static let format = "mds.2"
  package static let kind = "MDS shard"
  package static func matches(_ candidate: ArtifactCandidate) -> Bool { candidate.name.hasSuffix(".mds") }
  package static func open(_ path: String) throws -> MDSShard { try MDSShard(try MappedFile(path)) }

  package static func describe(_ path: String, lines: Int) throws -> [String]? {
    let shard = try open(path)
    let columns = zip(shard.names, shard.encodings).map { "\($0) \($1)" }.joined(separator: ", ")
    var table = TextTable(["sample", "bytes"], right: [0, 1])
    for sample in 0..<min(lines, shard.count) { table.add("\(sample)", Format.count(shard.bytes(of: sample))) }
    return ["\(kind) of \(Format.count(shard.count)) samples: \(columns)"] + table.lines + Format.more(shard.count - lines, "samples")
  }
}

/// The `index.json` of a folder of MDS shards.
package struct MDSIndex: Artifact {
  package static let fileName = "index.json"
  package static let format = "mds.index.2"
  package static let kind = "MDS index"

  package let shardCount: Int

  package static func matches(_ candidate: ArtifactCandidate) -> Bool { candidate.hasMembers("version", "shards") }

  package static func open(_ path: String) throws -> MDSIndex {
    guard let shards = try JSONDocument(Files.readWhole(path), place: path).root["shards"] else {
      throw WeirError(path, "is not an MDS index", remedy: "export the dataset again")
    }
    return MDSIndex(shardCount: shards.count)
  }
}
