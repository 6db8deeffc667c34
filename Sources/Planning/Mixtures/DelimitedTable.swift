import Foundation
import Primitives
import Storage

/// A table of comma-separated values with a header, as spreadsheets and data frames write it (RFC 4180).
struct DelimitedTable {
  let path: String
  let columns: [String]
  /// The cells of each row, as many as columns, and the row's line in the file.
  let rows: [(line: Int, cells: [String])]

  /// - Throws: `WeirError` with the line where a row has another number of cells, or a quote is not closed.
  init(_ path: String) throws { try self.init(Files.read(path), path: path) }

  init(_ bytes: [UInt8], path: String) throws {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw WeirError(path, "is not UTF-8", remedy: "expected comma-separated values with a header")
    }
    var records: [(line: Int, cells: [String])] = []
    var cells: [String] = [], cell = "", line = 1, first = 1, isQuoted = false, wasQuoted = false
    func isEmpty() -> Bool { cells.isEmpty && cell.isEmpty && !wasQuoted }
    func endCell() {
      cells.append(wasQuoted ? cell : cell.trimmingCharacters(in: .whitespaces))
      (cell, wasQuoted) = ("", false)
    }
    var characters = text.unicodeScalars.makeIterator(), next = characters.next()
    if next == "\u{FEFF}" { next = characters.next() }
    while let character = next {
      next = characters.next()
      switch character {
      case "\"" where isQuoted && next == "\"":
        cell.unicodeScalars.append(character)
        next = characters.next()
      case "\"" where isQuoted || cell.allSatisfy(\.isWhitespace):
        if !isQuoted { cell = "" }
        (isQuoted, wasQuoted) = (!isQuoted, true)
      case "," where !isQuoted: endCell()
      case "\n" where !isQuoted:
        if !isEmpty() {
          endCell()
          records.append((first, cells))
        }
        (cells, line) = ([], line + 1)
        first = line
      case "\r" where !isQuoted: break
      default:
        if character == "\n" { line += 1 }
        cell.unicodeScalars.append(character)
      }
    }
    guard !isQuoted else { throw WeirError("\(path):\(first)", "has a quote that is not closed") }
    if !isEmpty() {
      endCell()
      records.append((first, cells))
    }
    guard let header = records.first else { throw WeirError(path, "is empty", remedy: "expected comma-separated values with a header") }
    for (line, cells) in records.dropFirst() where cells.count != header.cells.count {
      throw WeirError("\(path):\(line)", "has \(cells.count) cells, but the header has \(header.cells.count)")
    }
    if let name = header.cells.first(where: { name in header.cells.count { $0 == name } > 1 }) {
      throw WeirError("\(path):\(header.line)", "has the column \"\(name)\" twice")
    }
    (self.path, columns, rows) = (path, header.cells, Array(records.dropFirst()))
  }

  /// The number in a cell; nil where it is empty or says that there is none.
  /// - Throws: `WeirError` with line and column where it is something else.
  func number(row: Int, column: Int) throws -> Double? {
    let (line, cells) = rows[row], text = cells[column]
    if ["", "nan", "na", "null", "none"].contains(text.lowercased()) { return nil }
    guard let value = Double(text), value.isFinite else {
      throw WeirError("\(path):\(line)", "column \"\(columns[column])\": \"\(Format.clip(text, 40))\" is not a number")
    }
    return value
  }

  /// The text of a cell, quoted where it has to be.
  static func quoted(_ text: String) -> String {
    text.contains { ",\"\n\r".contains($0) } ? "\"" + text.replacing("\"", with: "\"\"") + "\"" : text
  }
}
