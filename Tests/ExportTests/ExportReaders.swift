import Foundation
import Storage
import Testing

/// Readers of the exported formats, written from their descriptions without a look at the writers.
enum ExportReaders {
  static func integer(_ bytes: ArraySlice<UInt8>) -> Int { bytes.reversed().reduce(0) { $0 << 8 | Int($1) } }

  /// Whole numbers of `width` bytes, least byte first.
  static func numbers(_ bytes: ArraySlice<UInt8>, width: Int) -> [Int32] {
    stride(from: bytes.startIndex, to: bytes.endIndex, by: width).map { Int32(integer(bytes[$0..<$0 + width])) }
  }

  static func files(_ folder: String, _ ending: String) throws -> [[UInt8]] {
    try Files.entries(of: folder).filter { $0.hasSuffix(ending) }.map { try Files.read("\(folder)/\($0)") }
  }

  /// A compressed file's bytes.
  static func unpacked(_ path: String) throws -> [UInt8] {
    let reader = try ByteReader(path)
    var all: [UInt8] = []
    var room = [UInt8](repeating: 0, count: 1_000)
    while case let count = try room.withUnsafeMutableBytes({ try reader.read(into: $0) }), count > 0 { all += room[..<count] }
    return all
  }

  /// The lines of a compressed file.
  static func lines(_ path: String) throws -> [String] {
    try String(decoding: unpacked(path), as: UTF8.self).split(separator: "\n").map(String.init)
  }

  /// `.npy` behind numpy's header: the tokens of each file.
  static func npy(_ folder: String, width: Int) throws -> [[Int32]] {
    try files(folder, ".npy").map { bytes in
      #expect(bytes.starts(with: [0x93] + Array("NUMPY".utf8) + [1, 0]))
      let end = 10 + integer(bytes[8..<10])
      #expect(end % 64 == 0 && bytes[end - 1] == 0x0A)
      let tokens = numbers(bytes[end...], width: width)
      let text = String(decoding: bytes[10..<end], as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
      #expect(text == "{'descr': '<u\(width)', 'fortran_order': False, 'shape': (\(tokens.count),), }")
      return tokens
    }
  }

  /// OLMo's arrays cut at the borders beside them: name and tokens of each document.
  static func olmo(_ folder: String, width: Int) throws -> [(fields: [String], tokens: [Int32])] {
    var documents: [(fields: [String], tokens: [Int32])] = []
    for name in try Files.entries(of: folder) where name.hasSuffix(".npy") {
      let tokens = numbers(try Files.read("\(folder)/\(name)")[...], width: width)
      var end = 0
      for line in try lines("\(folder)/\(name.dropLast(4)).csv.gz") {
        let fields = line.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        #expect(Int(fields[0]) == end)
        end = try #require(Int(fields[1]))
        documents.append((Array(fields[2...]), Array(tokens[(Int(fields[0]) ?? 0)..<end])))
      }
      #expect(end == tokens.count)
    }
    return documents
  }

  /// llm.c's files: the tokens of each.
  static func llmc(_ folder: String, width: Int) throws -> [[Int32]] {
    try files(folder, ".bin").map { bytes in
      let header = numbers(bytes[..<1_024], width: 4)
      #expect(Array(header[..<2]) == (width == 2 ? [20_240_520, 1] : [20_240_801, 7]))
      #expect(header[3...].allSatisfy { $0 == 0 })
      let tokens = numbers(bytes[1_024...], width: width)
      #expect(tokens.count == Int(header[2]))
      return tokens
    }
  }

  /// MDS shards in the order of the index: the columns of each sample.
  static func mds(_ folder: String, width: Int) throws -> [[(text: String?, tokens: [Int32])]] {
    struct Index: Decodable {
      struct Shard: Decodable {
        struct Data: Decodable {
          var basename: String
          var bytes: Int
        }
        var column_names: [String]
        var column_encodings: [String]
        var raw_data: Data
        var samples: Int
        var format: String
        var version: Int
      }
      var version: Int
      var shards: [Shard]
    }
    let index = try JSONFile.read(Index.self, from: folder + "/index.json")
    #expect(index.version == 2)
    return try index.shards.flatMap { shard in
      let bytes = try Files.read("\(folder)/\(shard.raw_data.basename)")
      #expect(bytes.count == shard.raw_data.bytes && shard.format == "mds" && shard.version == 2)
      #expect(integer(bytes[0..<4]) == shard.samples)
      return (0..<shard.samples).map { sample -> [(text: String?, tokens: [Int32])] in
        let begin = integer(bytes[(4 + 4 * sample)..<(8 + 4 * sample)])
        var at = begin + 4 * shard.column_names.count
        return shard.column_encodings.enumerated().map { column, encoding -> (text: String?, tokens: [Int32]) in
          let size = integer(bytes[(begin + 4 * column)..<(begin + 4 * column + 4)])
          let value = bytes[at..<at + size]
          at += size
          if encoding == "str" { return (String(decoding: value, as: UTF8.self), []) }
          #expect(encoding == "ndarray:uint\(8 * width)" && value[value.startIndex] >> 2 == 1)
          let wide = 1 << Int(value[value.startIndex] & 3)
          let tokens = numbers(value.dropFirst(1 + wide), width: width)
          #expect(integer(value[(value.startIndex + 1)..<(value.startIndex + 1 + wide)]) == tokens.count)
          return (nil, tokens)
        }
      }
    }
  }
}
