//! A document with tables between marks.

use std::error::Error;
use std::fs;
use std::path::PathBuf;

/// A document that tables are put into.
pub(crate) struct Document {
    path: PathBuf,
    read: String,
    text: String,
}

impl Document {
    pub(crate) fn read(path: PathBuf) -> Result<Self, Box<dyn Error>> {
        let read = fs::read_to_string(&path)
            .map_err(|error| format!("failed to read {}: {error}", path.display()))?;
        Ok(Self { path, text: read.clone(), read })
    }

    /// Puts a table between the marks `<!-- begin: NAME … -->` and `<!-- end: NAME -->`.
    pub(crate) fn put(&mut self, name: &str, table: &str) -> Result<(), Box<dyn Error>> {
        self.text = replaced(&self.text, name, table).ok_or_else(|| {
            format!("{} has no marks <!-- begin: {name} --> and <!-- end: {name} -->", self.path.display())
        })?;
        Ok(())
    }

    pub(crate) fn is_changed(&self) -> bool {
        self.text != self.read
    }

    pub(crate) fn write(&self) -> Result<(), Box<dyn Error>> {
        fs::write(&self.path, &self.text)
            .map_err(|error| format!("failed to write {}: {error}", self.path.display()).into())
    }
}

fn replaced(text: &str, name: &str, table: &str) -> Option<String> {
    let begin = text.find(&format!("<!-- begin: {name}"))?;
    let body = begin + text[begin..].find("-->\n")? + "-->\n".len();
    let end = body + text[body..].find(&format!("<!-- end: {name} -->"))?;
    Some(format!("{}\n{table}\n{}", &text[..body], &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::replaced;

    #[test]
    fn a_table_is_put_between_its_marks_and_nowhere_else() {
        let text = "a\n<!-- begin: one (by x) -->\nold\n<!-- end: one -->\n<!-- begin: two -->\n<!-- end: two -->\nb\n";
        let once = replaced(text, "one", "|new|\n").expect("marks");
        assert_eq!(
            once,
            "a\n<!-- begin: one (by x) -->\n\n|new|\n\n<!-- end: one -->\n<!-- begin: two -->\n<!-- end: two -->\nb\n"
        );
        assert_eq!(replaced(&once, "one", "|new|\n"), Some(once), "again changes nothing");
        assert_eq!(replaced(text, "three", ""), None);
    }
}
