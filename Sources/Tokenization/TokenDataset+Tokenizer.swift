import Primitives
import Storage
import Tokens

extension TokenDataset {
  /// Opens the tokenizer in the dataset's folder.
  package func openTokenizer() throws -> Tokenizer {
    let folder = folder.tokenizer
    guard Files.isFolder(folder) else {
      throw WeirError(path, "contains no tokenizer", remedy: "make the dataset with `weir tokenize … | weir shard`, which copies it")
    }
    let opened = try Tokenizer(folder: folder)
    guard opened.fingerprint == tokenizer else {
      throw WeirError(folder, "is not the tokenizer that the dataset was made with", remedy: "make the dataset again")
    }
    return opened
  }
}
