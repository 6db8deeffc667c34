import Primitives
import Storage

/// The header of an MDS shard (MosaicML Streaming): u32 sample count, sample offsets, and the columns.
package struct MDSShard {
  package let names: [String]
  /// The encoding of each column.
  package let encodings: [String]
  private let offsets: [UInt32]

  /// Reads and checks a shard: offsets increase and end with the file, and the columns of each sample fill it.
  /// - Throws: `WeirError` with path and byte.
  package init(_ file: MappedFile) throws {
    (names, encodings, offsets) = try file.withBytes { bytes in
      func wrong(_ offset: Int, _ reason: String) -> WeirError {
        WeirError("\(file.path)@\(offset)", reason, remedy: "the shard is damaged; export it again")
      }
      func word(_ offset: Int) -> UInt32 { bytes.integer(at: offset) }
      guard bytes.count >= 8, Int(word(0)) <= (bytes.count - 8) / 4 else { throw wrong(0, "its offsets do not fit the file") }
      let offsets = (0...Int(word(0))).map { word(4 + 4 * $0) }
      let head = 4 + 4 * offsets.count
      guard Int(offsets[0]) >= head, zip(offsets, offsets.dropFirst()).allSatisfy({ $0 <= $1 }),
        Int(offsets[offsets.count - 1]) == bytes.count
      else { throw wrong(4, "its offsets do not increase from the header to the end of the file") }
      let root = try JSONDocument(Array(bytes[head..<Int(offsets[0])]), place: "\(file.path)@\(head)").root
      guard root["version"]?.int == 2, root["format"]?.string == "mds", let names = root["column_names"]?.array?.map(\.string),
        let encodings = root["column_encodings"]?.array?.map(\.string), let sizes = root["column_sizes"]?.array,
        names.count == sizes.count, encodings.count == sizes.count
      else { throw wrong(head, "the header does not describe an MDS shard of version 2") }
      for (sample, (start, end)) in zip(offsets, offsets.dropFirst()).enumerated() {
        var at = Int(start)
        var sum = 0
        for size in sizes {
          if let fixed = size.int {
            // Nothing in a file is larger than it.
            guard (0...bytes.count).contains(fixed) else { throw wrong(head, "a column of \(fixed) bytes") }
            sum += fixed
          } else {
            guard at + 4 <= Int(end) else { throw wrong(at, "sample \(sample) ends within the sizes of its columns") }
            sum += Int(word(at))
            at += 4
          }
        }
        guard at + sum == Int(end) else { throw wrong(Int(start), "the columns of sample \(sample) do not fill it") }
      }
      return (names.map { $0 ?? "?" }, encodings.map { $0 ?? "?" }, offsets)
    }
  }

  /// The number of samples.
  package var count: Int { offsets.count - 1 }

  package func bytes(of sample: Int) -> Int { Int(offsets[sample + 1] - offsets[sample]) }
}
