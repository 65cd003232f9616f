//! The options as they are written in a rule.

use serde::Deserialize;

use super::checked::{Checked, Size};
use super::output::Output;

/// The largest number of sizes.
const MAX_SIZES: usize = 16;
/// The largest width and height of a result, in pixels.
const MAX_SIDE: u32 = 8_192;
/// The largest number of pixels that can be allowed.
const MAX_MAX_PIXELS: u64 = 1_000_000_000;

/// The options of `image-resize`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// The sizes to make.
    pub sizes: Vec<Size>,
    /// The format of the results.
    #[serde(default)]
    pub format: OutputFormat,
    /// The quality of JPEG, from 1 to 100.
    #[serde(default = "default_quality")]
    pub quality: u8,
    /// The largest number of pixels that an image may have, to be read at all.
    #[serde(default = "default_max_pixels")]
    pub max_pixels: u64,
}

/// The format of the results.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OutputFormat {
    /// PNG for an image with transparent pixels, JPEG for any other.
    #[default]
    Auto,
    /// JPEG. Transparent pixels become white.
    Jpeg,
    /// PNG.
    Png,
    /// WebP without loss: for drawings, not for photos.
    Webp,
}

fn default_quality() -> u8 {
    82
}

fn default_max_pixels() -> u64 {
    100_000_000
}

/// A fault in the options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionFault {
    /// The path of the field, such as `sizes[0].name`.
    pub field: String,
    /// What is wrong, and what is expected.
    pub detail: String,
}

impl Options {
    /// Checks the options. `is_name` decides which names results may have.
    ///
    /// # Errors
    /// Every fault.
    pub fn into_checked(self, is_name: impl Fn(&str) -> bool) -> Result<Checked, Vec<OptionFault>> {
        let mut faults = Vec::new();
        let mut add = |field: String, detail: &str| {
            faults.push(OptionFault {
                field,
                detail: detail.to_owned(),
            });
        };
        if self.sizes.is_empty() || self.sizes.len() > MAX_SIZES {
            add("sizes".to_owned(), "expected 1 to 16 sizes");
        }
        for (index, size) in self.sizes.iter().enumerate() {
            let field = |name: &str| format!("sizes[{index}].{name}");
            if !is_name(&size.name) {
                let detail = "expected 1 to 32 of a-z, 0-9 and -, without - at either end";
                add(field("name"), detail);
            }
            let before = self.sizes.iter().take(index);
            if before.into_iter().any(|other| other.name == size.name) {
                add(field("name"), "is the name of another size, too");
            }
            for (name, side) in [
                ("max_width", size.max_width),
                ("max_height", size.max_height),
            ] {
                if !(1..=MAX_SIDE).contains(&side) {
                    add(field(name), "expected 1 to 8192 pixels");
                }
            }
        }
        if !(1..=100).contains(&self.quality) {
            add("quality".to_owned(), "expected 1 to 100");
        }
        if !(1..=MAX_MAX_PIXELS).contains(&self.max_pixels) {
            add("max_pixels".to_owned(), "expected 1 to 1000000000");
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        Ok(Checked {
            sizes: self.sizes,
            output: match self.format {
                OutputFormat::Auto => None,
                OutputFormat::Jpeg => Some(Output::Jpeg),
                OutputFormat::Png => Some(Output::Png),
                OutputFormat::Webp => Some(Output::WebP),
            },
            quality: self.quality,
            max_pixels: self.max_pixels,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn fields(options: Value) -> Vec<String> {
        let options: Options = serde_json::from_value(options).expect("options");
        let checked = options.into_checked(|name| !name.contains('/'));
        let faults = checked.err().unwrap_or_default();
        faults.into_iter().map(|fault| fault.field).collect()
    }

    #[test]
    fn every_fault_is_found_at_once() {
        let size =
            |name: &str, side: u32| json!({"name": name, "max_width": side, "max_height": 9});
        assert!(fields(json!({"sizes": [size("small", 1), size("large", 8192)]})).is_empty());
        assert_eq!(fields(json!({"sizes": []})), ["sizes"]);
        let many: Vec<_> = (0..17).map(|n| size(&n.to_string(), 1)).collect();
        assert_eq!(fields(json!({"sizes": many})), ["sizes"]);
        let options = json!({
            "sizes": [size("a", 0), size("a", 8193), size("../a", 1)],
            "quality": 0,
            "max_pixels": 0,
        });
        let expected = [
            "sizes[0].max_width",
            "sizes[1].name",
            "sizes[1].max_width",
            "sizes[2].name",
            "quality",
            "max_pixels",
        ];
        assert_eq!(fields(options), expected);
    }
}
