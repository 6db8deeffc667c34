import Primitives

extension Manifest {
  /// Counts, inputs, configuration, fingerprint and tool, for a person.
  package var facts: [String] {
    var table = TextTable()
    for (name, count) in counts.sorted(by: { $0.key < $1.key }) { table.add(name, Format.count(count)) }
    for (name, value) in inputs.sorted(by: { $0.key < $1.key }) { table.add("from " + name, Format.clip(value, 100)) }
    if case .object(let members) = configuration, !members.isEmpty, let text = try? JSONFile.encode(configuration) {
      table.add("configuration", Format.clip(text, 160))
    }
    table.add("fingerprint", fingerprint)
    table.add("written by", Format.clip(tool, 60))
    return table.lines
  }

  /// The first files with size and checksum.
  package func fileTable(_ lines: Int) -> [String] {
    var table = TextTable(["file", "bytes", "xxh3"], right: [1])
    for file in files.prefix(lines) { table.add(Format.clip(file.name, 60), Format.count(file.bytes), file.xxh3) }
    return table.lines + Format.more(files.count - lines, "files")
  }
}
